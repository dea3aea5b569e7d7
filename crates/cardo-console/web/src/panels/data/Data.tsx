import { useWords, type Words } from "../../app/language.ts";
import { useCounts, useTypes } from "../../data/twin.ts";
import { colourOf } from "../../map/palette.ts";
import { number, spaced } from "../../ui/format.ts";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";

const en = {
  type: "Type",
  entities: "Entities",
  noPlace: "without a place",
  empty: "This twin is empty",
  emptyHelp: "Take in a file with `cardo ingest`, or create an entity with POST /ngsi-ld/v1/entities.",
};
const words: Words<typeof en> = {
  en,
  fi: {
    type: "Tyyppi",
    entities: "Kohteita",
    noPlace: "ilman sijaintia",
    empty: "Kaksonen on tyhjä",
    emptyHelp: "Lue tiedosto komennolla `cardo ingest` tai luo kohde: POST /ngsi-ld/v1/entities.",
  },
  sv: {
    type: "Typ",
    entities: "Objekt",
    noPlace: "utan plats",
    empty: "Tvillingen är tom",
    emptyHelp: "Läs in en fil med `cardo ingest` eller skapa ett objekt med POST /ngsi-ld/v1/entities.",
  },
};

/** Every type of the twin, with a place on the map or without. */
export default function Data() {
  const w = useWords(words);
  const { data: types, error, refetch } = useTypes();
  const { data: counts } = useCounts(types);
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!types) return <Skeleton />;
  if (types.length === 0) return <Empty title={w.empty}>{w.emptyHelp}</Empty>;
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">{w.type}</th>
          <th scope="col" className="num">{w.entities}</th>
        </tr>
      </thead>
      <tbody>
        {types.map((type) => (
          <tr key={type.name} data-type={type.name}>
            <td>
              <span className="dot" style={{ background: colourOf(type.name) }} /> {spaced(type.name)}
              {!type.extent && <span className="quiet small"> · {w.noPlace}</span>}
            </td>
            <td className="num">{counts?.[type.name] === undefined ? "…" : number(counts[type.name]!, 0)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
