import type { Words } from "../app/language.ts";

const en = {
  loading: "Loading",
  failed: "That did not work",
  noAnswer: "The server does not answer.",
  again: "Try again",
  copy: "Copy",
  copied: "Copied",
  close: "Close",
};

export const words: Words<typeof en> = {
  en,
  fi: {
    loading: "Ladataan",
    failed: "Se ei onnistunut",
    noAnswer: "Palvelin ei vastaa.",
    again: "Yritä uudelleen",
    copy: "Kopioi",
    copied: "Kopioitu",
    close: "Sulje",
  },
  sv: {
    loading: "Laddar",
    failed: "Det gick inte",
    noAnswer: "Servern svarar inte.",
    again: "Försök igen",
    copy: "Kopiera",
    copied: "Kopierat",
    close: "Stäng",
  },
};
