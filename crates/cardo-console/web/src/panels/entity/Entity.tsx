import { useLanguage, useWords } from "../../app/language.ts";
import { changeView } from "../../app/view.ts";
import { words as shellWords } from "../../app/words/shell.ts";
import { attributesOf, nameOf, useEntity } from "../../data/entity.ts";
import { colourOf } from "../../map/palette.ts";
import { spaced } from "../../ui/format.ts";
import { Copy, Failure, IconButton, Skeleton } from "../../ui/parts.tsx";
import { Attribute } from "./Attribute.tsx";

/** The chosen entity, in a drawer at the end edge. */
export function Entity({ id }: { id: string }) {
  const w = useWords(shellWords);
  const language = useLanguage();
  const { data, error, refetch } = useEntity(id);
  const types = data ? [data.type].flat() : [];
  const name = data && nameOf(data, language);
  return (
    <aside className="drawer card" aria-labelledby="entity-title">
      <header className="drawer-head">
        <div>
          {types.map((type) => (
            <span key={type} className="kind">
              <span className="dot" style={{ background: colourOf(type) }} />
              {spaced(type)}
            </span>
          ))}
          <h2 id="entity-title">{name ?? (types[0] ? spaced(types[0]) : "…")}</h2>
          <Copy text={id} />
        </div>
        <IconButton icon="close" label={w.closeEntity} onClick={() => changeView({ entity: undefined })} />
      </header>
      <div className="panel-body">
        {error && <Failure error={error} retry={() => void refetch()} />}
        {!data && !error && <Skeleton lines={8} />}
        {data && (
          <dl className="attributes">
            {attributesOf(data).map(([name, instances]) => (
              <Attribute key={name} name={name} instances={instances} />
            ))}
          </dl>
        )}
      </div>
    </aside>
  );
}
