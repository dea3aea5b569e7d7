import { lazy, Suspense } from "react";
import { useLanguage, useWords } from "../../app/language.ts";
import { changeView } from "../../app/view.ts";
import { words as shellWords } from "../../app/words/shell.ts";
import { attributesOf, nameOf, useEntity, type Entity as Data } from "../../data/entity.ts";
import { Refusal } from "../../data/http.ts";
import { useTypes } from "../../data/twin.ts";
import { boxOf, showBox } from "../../map/handle.ts";
import { colourOf } from "../../map/palette.ts";
import { spaced } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { Age, Button, Copy, Empty, Failure, IconButton, Skeleton } from "../../ui/parts.tsx";
import { Attribute } from "./Attribute.tsx";
import { useFollowed } from "./follow.ts";
import { useHistory } from "./history.ts";
import { Links } from "./Links.tsx";
import { Names, PointHere } from "./Related.tsx";
import { useNames, usePointing } from "./related.ts";
import { geometryOf, numbersOf, targetsOf } from "./shape.ts";
import { words } from "./words.ts";
import "./entity.css";

const Chart = lazy(() => import("./Chart.tsx").then(({ Chart }) => ({ default: Chart })));

/** The chosen entity, in a drawer at the end edge. */
export function Entity({ id }: { id: string }) {
  const w = useWords(words);
  const shell = useWords(shellWords);
  const language = useLanguage();
  const isDeleted = useFollowed(id);
  const { data, error, refetch } = useEntity(id);
  const isMissing = error instanceof Refusal && error.status === 404;
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
          <h2 id="entity-title">{name ?? (types[0] ? spaced(types[0]) : isMissing ? w.never : "…")}</h2>
          <Copy text={id} />
        </div>
        <IconButton icon="close" label={shell.closeEntity} onClick={() => changeView({ entity: undefined })} />
      </header>
      <div className="panel-body entity-body">
        {data && (isDeleted || isMissing) && <p className="gone" role="status">{w.gone}</p>}
        {!data && isMissing && <Empty title={w.never}>{w.neverHelp}</Empty>}
        {error && !isMissing && <Failure error={error} retry={() => void refetch()} />}
        {!data && !error && <Skeleton lines={8} />}
        {data && <Content entity={data} isGone={isDeleted || isMissing} />}
      </div>
    </aside>
  );
}

function Content({ entity, isGone }: { entity: Data; isGone: boolean }) {
  const w = useWords(words);
  const { data: twin } = useTypes();
  const given = [entity.type].flat();
  const type = twin?.find(({ name, type }) => given.includes(name) || given.includes(type));
  const { data: pointing = [] } = usePointing(entity.id, isGone ? undefined : type?.name);
  const { data: names = {} } = useNames([...targetsOf(entity), ...pointing.flatMap(({ ids }) => ids)]);
  const geometry = geometryOf(entity);
  const numbers = numbersOf(entity);
  const attributes = attributesOf(entity);
  const pointed = new Set(attributes.flatMap(([name, instances]) => (instances.some(({ object }) => object !== undefined) ? [name] : [])));
  return (
    <Names value={names}>
      <div className="entity-do">
        {geometry ? (
          <Button onClick={() => showBox(boxOf(geometry))}>
            <Icon name="place" size={15} />
            {w.showOnMap}
          </Button>
        ) : (
          <span className="quiet">{w.noPlace}</span>
        )}
        {entity.modifiedAt && <span className="quiet small">{w.changed} <Age time={entity.modifiedAt} /></span>}
      </div>
      <dl className="attributes">
        {attributes.map(([name, instances]) => (
          <Attribute key={name} name={name} instances={instances} />
        ))}
      </dl>
      <History id={entity.id} numbers={numbers} />
      <PointHere pointing={pointing} />
      {!isGone && <Links id={entity.id} type={type} columns={attributes.map(([name]) => name).filter((name) => !pointed.has(name))} numbers={numbers.map(([name]) => name)} />}
    </Names>
  );
}

function History({ id, numbers }: { id: string; numbers: [string, string | undefined][] }) {
  const w = useWords(words);
  const { data: series = [] } = useHistory(id, numbers.map(([name]) => name));
  if (series.length === 0) return null;
  const units = new Map(numbers);
  return (
    <section className="entity-part">
      <h3>{w.history}</h3>
      <Suspense fallback={<Skeleton lines={3} />}>
        {series.map((one) => (
          <Chart key={one.attribute} series={one} unitCode={units.get(one.attribute)} />
        ))}
      </Suspense>
    </section>
  );
}
