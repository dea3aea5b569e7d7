import { currentLanguage } from "../../app/language.ts";
import { changeView } from "../../app/view.ts";
import { inLanguage, type Instance } from "../../data/entity.ts";
import { number, shortId, spaced, withUnit } from "../../ui/format.ts";
import { Age } from "../../ui/parts.tsx";

/** One attribute with its values, and how old they are. */
export function Attribute({ name, instances }: { name: string; instances: Instance[] }) {
  return (
    <div className="attribute">
      <dt>{spaced(name)}</dt>
      {instances.map((instance, at) => (
        <dd key={at}>
          <Value instance={instance} />
          {instance.observedAt && (
            <span className="quiet small">
              <Age time={instance.observedAt} />
            </span>
          )}
        </dd>
      ))}
    </div>
  );
}

function Value({ instance }: { instance: Instance }) {
  if (instance.object !== undefined) return <Related ids={[instance.object].flat()} />;
  if (instance.languageMap) return <span>{inLanguage(instance.languageMap, currentLanguage())}</span>;
  if (instance.vocab !== undefined) return <span>{[instance.vocab].flat().join(", ")}</span>;
  const value = instance.value ?? instance.json;
  if (typeof value === "number") return <span className="num">{withUnit(value, instance.unitCode)}</span>;
  if (instance.type === "GeoProperty") return <Place geometry={value as { type: string; coordinates: unknown }} />;
  if (typeof value === "object") return <code className="json">{JSON.stringify(value)}</code>;
  return <span>{String(value)}</span>;
}

function Related({ ids }: { ids: string[] }) {
  return (
    <>
      {ids.map((id) => (
        <button key={id} type="button" className="link" title={id} onClick={() => changeView({ entity: id })}>
          {shortId(id, 34)}
        </button>
      ))}
    </>
  );
}

function Place({ geometry }: { geometry: { type: string; coordinates: unknown } }) {
  if (geometry.type !== "Point" || !Array.isArray(geometry.coordinates)) return <span>{geometry.type}</span>;
  const [lng, lat] = geometry.coordinates as number[];
  return (
    <span className="num">
      {number(lat ?? 0, 5)}, {number(lng ?? 0, 5)}
    </span>
  );
}
