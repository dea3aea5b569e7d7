import { useWords, type Words } from "../app/language.ts";
import { useStore } from "../app/store.ts";
import { signInWanted } from "../data/http.ts";
import { Empty, Failure } from "../ui/parts.tsx";
import { useLayers } from "./layers.ts";

const en = {
  empty: "Nothing is on this map yet",
  help: "Entities with a geometry appear here as soon as there are any. Take in a file:",
};
const words: Words<typeof en> = {
  en,
  fi: {
    empty: "Kartalla ei ole vielä mitään",
    help: "Kohteet, joilla on geometria, näkyvät tässä heti, kun niitä on. Lue tiedosto:",
  },
  sv: {
    empty: "Det finns ännu inget på kartan",
    help: "Objekt med en geometri visas här så snart de finns. Läs in en fil:",
  },
};

/** What is said in place of a map that has nothing to show. */
export function MapState() {
  const w = useWords(words);
  const { layers, error, retry } = useLayers();
  const isAsked = useStore(signInWanted) !== "no";
  if (isAsked || (layers && layers.length > 0) || (!layers && !error)) return null;
  return (
    <div className="map-missing">
      <div className="map-state card">
        {error ? (
          <Failure error={error} retry={retry} />
        ) : (
          <Empty title={w.empty}>
            {w.help} <code>cardo ingest trees.geojson</code>
          </Empty>
        )}
      </div>
    </div>
  );
}
