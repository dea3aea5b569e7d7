import { currentLanguage, useWords } from "../../app/language.ts";
import { inLanguage, type Instance } from "../../data/entity.ts";
import { number, shortId, spaced, withUnit } from "../../ui/format.ts";
import { Age } from "../../ui/parts.tsx";
import { Related } from "./Related.tsx";
import { subAttributes } from "./shape.ts";
import { words } from "./words.ts";

/** One attribute with its values: how old they are, of which data set, and what is said of them. */
export function Attribute({ name, instances }: { name: string; instances: Instance[] }) {
  return (
    <div className="attribute">
      <dt>{spaced(name)}</dt>
      {instances.map((instance, at) => (
        <dd key={instance.datasetId ?? at}>
          <Value instance={instance} />
          <Said instance={instance} />
          {subAttributes(instance).map(([name, sub]) => (
            <div key={name} className="sub-attribute">
              <span className="quiet">{spaced(name)}</span> <Value instance={sub} />
            </div>
          ))}
        </dd>
      ))}
    </div>
  );
}

function Said({ instance: { observedAt, datasetId } }: { instance: Instance }) {
  return (
    <>
      {observedAt && (
        <span className="quiet small attribute-age">
          <Age time={observedAt} />
        </span>
      )}
      {datasetId && <span className="dataset mono" title={datasetId}>{shortId(datasetId.slice(datasetId.lastIndexOf(":") + 1), 24)}</span>}
    </>
  );
}

function Value({ instance }: { instance: Instance }) {
  if (instance.object !== undefined) return <Related ids={[instance.object].flat()} />;
  if (instance.languageMap) return <Languages map={instance.languageMap} />;
  if (instance.vocab !== undefined) return <span>{[instance.vocab].flat().join(", ")}</span>;
  const value = instance.value ?? instance.json;
  if (typeof value === "number") return <span className="num">{withUnit(value, instance.unitCode)}</span>;
  if (instance.type === "GeoProperty") return <Place geometry={value as { type: string; coordinates: unknown }} />;
  return <Plain value={value} />;
}

/** A value of JSON: what can be read as words is. */
function Plain({ value }: { value: unknown }) {
  const w = useWords(words);
  if (value === null || value === undefined) return <span className="quiet">–</span>;
  if (typeof value === "number") return <span className="num">{number(value)}</span>;
  if (typeof value === "string") return /^https?:\/\/\S+$/.test(value) ? <a href={value} rel="noreferrer" target="_blank">{value}</a> : <span>{value}</span>;
  if (typeof value === "boolean") return <span>{value ? w.yes : w.no}</span>;
  if (typeof value !== "object") return <span>{String(value)}</span>;
  if (Array.isArray(value)) {
    const isFlat = value.every((item) => typeof item !== "object");
    return isFlat ? <span>{value.join(", ")}</span> : <code className="json">{JSON.stringify(value)}</code>;
  }
  const typed = value as { "@type"?: string; "@value"?: unknown };
  if (typed["@value"] !== undefined) return typed["@type"] === "DateTime" ? <Age time={String(typed["@value"])} /> : <span>{String(typed["@value"])}</span>;
  return (
    <span className="members">
      {Object.entries(value).map(([name, member]) => (
        <span key={name}>
          <span className="quiet small">{spaced(name)}</span> <Plain value={member} />
        </span>
      ))}
    </span>
  );
}

/** The reader's language first; the others stay in sight. */
function Languages({ map }: { map: Record<string, string | string[]> }) {
  const own = inLanguage(map, currentLanguage());
  const others = Object.entries(map).filter(([, text]) => [text].flat().join(", ") !== own);
  return (
    <span className="members">
      <span>{own}</span>
      {others.map(([language, text]) => (
        <span key={language} lang={language === "@none" ? undefined : language}>
          <span className="tag">{language}</span> <span className="quiet">{[text].flat().join(", ")}</span>
        </span>
      ))}
    </span>
  );
}

function Place({ geometry }: { geometry: { type: string; coordinates: unknown } }) {
  if (geometry.type !== "Point" || !Array.isArray(geometry.coordinates)) return <span>{spaced(geometry.type)}</span>;
  const [lng, lat] = geometry.coordinates as number[];
  return (
    <span className="num">
      {number(lat ?? 0, 5)}, {number(lng ?? 0, 5)}
    </span>
  );
}
