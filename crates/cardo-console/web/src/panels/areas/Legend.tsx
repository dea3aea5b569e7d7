import { useWords } from "../../app/language.ts";
import type { Box } from "../../data/twin.ts";
import { boxOf, showBox } from "../../map/handle.ts";
import { number } from "../../ui/format.ts";
import { IconButton } from "../../ui/parts.tsx";
import { labelOf, shown } from "./label.ts";
import { valueOf, type Row } from "./measure.ts";
import type { Pointed } from "./pick.ts";
import type { ShadeClass, Shades } from "./shade.ts";
import { words } from "./words.ts";

/** The classes with their bounds, and how many areas are in each. */
export function ShadeLegend({ shades }: { shades: Shades }) {
  const w = useWords(words);
  const bounds = ({ from, to }: ShadeClass) => {
    const [low, high] = [shown(from, shades.measure), shown(to, shades.measure)];
    return low === high ? low : `${low} – ${high}`;
  };
  return (
    <figure className="shade-legend" aria-label={labelOf(shades.measure, w)}>
      <figcaption>
        <span>{labelOf(shades.measure, w)}</span>
        <IconButton icon="place" label={w.show} onClick={() => showBox(boxOfAll(shades))} />
      </figcaption>
      <ul>
        {shades.zero > 0 && (
          <li className="zero">
            <span />
            <b className="num">0</b>
            <em className="num">{number(shades.zero, 0)} {w.places}</em>
          </li>
        )}
        {shades.classes.map((part) => (
          <li key={part.colour} title={`${number(part.count, 0)} ${w.places}`}>
            <span style={{ background: part.colour }} />
            <b className="num">{bounds(part)}</b>
            <em className="num">{number(part.count, 0)} {w.places}</em>
          </li>
        ))}
        {shades.without > 0 && (
          <li className="none">
            <span />
            <b>{w.noValue}</b>
            <em className="num">{number(shades.without, 0)} {w.places}</em>
          </li>
        )}
      </ul>
    </figure>
  );
}

/** The area that the pointer is at, and its figure. */
export function ShadeHint({ shades, pointed, rows }: { shades: Shades; pointed: Pointed | undefined; rows: readonly Row[] }) {
  const w = useWords(words);
  const row = pointed && rows.find(({ place }) => place.id === pointed.id);
  if (!row) return null;
  const value = valueOf(row, shades.measure);
  return (
    <div className="shade-hint card" aria-hidden="true" style={{ transform: `translate(${pointed.x + 14}px, ${pointed.y + 14}px)` }}>
      <b>{row.place.name}</b>
      <span className="num">{value === undefined ? w.noValue : shown(value, shades.measure)}</span>
      <span className="quiet">{labelOf(shades.measure, w)}</span>
    </div>
  );
}

const boxOfAll = ({ features: { features } }: Shades): Box => boxOf({ type: "GeometryCollection", geometries: features.map(({ geometry }) => geometry) });
