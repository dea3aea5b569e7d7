import type { Words } from "../../app/language.ts";

const en = {
  data: "Data",
  ground: "Base map",
  show: "Show",
  hide: "Hide",
  colourBy: "Colour by",
  one: "one colour",
  zoomIn: "zoom in to see it",
  part: "a part is shown; zoom in for all",
  failed: "cannot be loaded",
  empty: "Nothing has a place yet",
  emptyHelp: "A type becomes a layer as soon as one of its entities has a geometry, such as a location.",
  none: "no value",
};

export const words: Words<typeof en> = {
  en,
  fi: {
    data: "Tiedot",
    ground: "Pohjakartta",
    show: "Näytä",
    hide: "Piilota",
    colourBy: "Väritä",
    one: "yksi väri",
    zoomIn: "lähennä nähdäksesi",
    part: "osa näkyy; lähennä nähdäksesi kaikki",
    failed: "ei voi ladata",
    empty: "Millään ei ole vielä sijaintia",
    emptyHelp: "Tyypistä tulee karttataso, kun jollakin sen kohteista on geometria, esimerkiksi location.",
    none: "ei arvoa",
  },
  sv: {
    data: "Data",
    ground: "Baskarta",
    show: "Visa",
    hide: "Dölj",
    colourBy: "Färga efter",
    one: "en färg",
    zoomIn: "zooma in för att se",
    part: "en del visas; zooma in för allt",
    failed: "kan inte laddas",
    empty: "Inget har en plats ännu",
    emptyHelp: "En typ blir ett lager så snart ett av dess objekt har en geometri, till exempel location.",
    none: "inget värde",
  },
};
