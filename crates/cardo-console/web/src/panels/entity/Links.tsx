import { useWords } from "../../app/language.ts";
import { entityPath } from "../../data/entity.ts";
import { url } from "../../data/http.ts";
import type { TwinType } from "../../data/twin.ts";
import { CopyIcon } from "../../ui/CopyIcon.tsx";
import { Icon } from "../../ui/icons.tsx";
import { historyPath } from "./history.ts";
import { words } from "./words.ts";

/** The question of GraphQL for an entity with its columns. */
export function graphqlOf(id: string, type: TwinType | undefined): string {
  const columns = type?.columns.map(({ name }) => name).filter((name) => !name.includes("__")) ?? [];
  return `{\n  entity(id: ${JSON.stringify(id)}) {\n    id\n    type\n    modifiedAt${type ? `\n    ... on ${type.name} {\n      ${columns.join("\n      ")}\n    }` : ""}\n  }\n}`;
}

/** The entity in every face, to be opened and to be copied. */
export function Links({ id, type, columns, numbers }: { id: string; type: TwinType | undefined; columns: readonly string[]; numbers: readonly string[] }) {
  const w = useWords(words);
  const item = type && `ogc/collections/${encodeURIComponent(type.name)}/items/${encodeURIComponent(id)}`;
  const scalars = type && { ...type, columns: type.columns.filter(({ name }) => columns.includes(name)) };
  const links: [string, string][] = [
    ["NGSI-LD", entityPath(id)],
    ...(numbers.length > 0 ? [[w.temporal, historyPath(id, numbers)] as [string, string]] : []),
    ...(item ? [[w.item, `${item}?f=json`], [w.page, `${item}?f=html`]] as [string, string][] : []),
    ["GraphQL", `graphql#query=${encodeURIComponent(graphqlOf(id, scalars))}`],
  ];
  return (
    <section className="entity-part">
      <h3>{w.elsewhere}</h3>
      <ul className="entity-links">
        {links.map(([name, path]) => (
          <li key={name}>
            <a href={url(path)} target="_blank" rel="noreferrer">
              {name}
              <Icon name="out" size={13} />
            </a>
            <CopyIcon text={url(path)} label={w.copyOf.replace("{name}", name)} />
          </li>
        ))}
      </ul>
    </section>
  );
}
