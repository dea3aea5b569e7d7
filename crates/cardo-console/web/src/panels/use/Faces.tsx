import { useWords } from "../../app/language.ts";
import { url } from "../../data/http.ts";
import { Icon } from "../../ui/icons.tsx";
import { words } from "./words.ts";

/** The other pages and documents of the server. */
export function Faces() {
  const w = useWords(words);
  const all: [name: string, path: string, help: string][] = [
    [w.reference, "reference", w.referenceHelp],
    ["OGC API", "ogc?f=html", w.ogcHelp],
    ["GraphQL", "graphql", w.graphqlHelp],
    ["NGSI-LD", "ngsi-ld/v1/types", w.ngsiHelp],
    [w.names, "names", w.namesHelp],
    [w.openapi, "ngsi-ld/v1/openapi.json", "NGSI-LD"],
    [w.openapi, "ogc/api", "OGC API"],
  ];
  return (
    <section className="recipe">
      <h3>{w.faces}</h3>
      <ul className="faces">
        {all.map(([name, path, help]) => (
          <li key={path}>
            <a href={url(path)} target="_blank" rel="noopener">
              <span>
                <b>{name}</b> <span className="quiet">{help}</span>
              </span>
              <Icon name="out" size={14} />
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
