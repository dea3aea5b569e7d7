import { createContext, use } from "react";
import { useWords } from "../../app/language.ts";
import { changeView } from "../../app/view.ts";
import { colourOf } from "../../map/palette.ts";
import { number, shortId, spaced } from "../../ui/format.ts";
import type { Pointing } from "./related.ts";
import { words } from "./words.ts";

/** The names of what is pointed to, asked for once for the whole entity. */
export const Names = createContext<Readonly<Record<string, string>>>({});

/** Entities by name, each to be opened. */
export function Related({ ids }: { ids: readonly string[] }) {
  const names = use(Names);
  return (
    <span className="related">
      {ids.map((id) => (
        <button key={id} type="button" className={names[id] ? "link named" : "link"} title={id} onClick={() => changeView({ entity: id })}>
          {names[id] ?? shortId(id, 34)}
        </button>
      ))}
    </span>
  );
}

/** Who points to the entity, by type and attribute. */
export function PointHere({ pointing }: { pointing: readonly Pointing[] }) {
  const w = useWords(words);
  if (pointing.length === 0) return null;
  return (
    <section className="entity-part">
      <h3>{w.pointHere}</h3>
      <dl className="attributes">
        {pointing.map(({ field, type, attribute, total, ids }) => (
          <div key={field} className="attribute">
            <dt>
              <span className="dot" style={{ background: colourOf(type) }} /> {spaced(type)}
              <span className="small block">{spaced(attribute)}</span>
            </dt>
            <dd>
              <Related ids={ids} />
              {total > ids.length && <span className="quiet small">{w.more.replace("{n}", number(total - ids.length, 0))}</span>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
