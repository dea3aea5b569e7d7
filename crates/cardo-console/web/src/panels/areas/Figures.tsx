import { useWords } from "../../app/language.ts";
import type { NumberFigures, TypeFigures } from "../../data/figures.ts";
import { colourOf } from "../../map/palette.ts";
import { number, spaced, unit } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { OF_NUMBER } from "./measure.ts";
import { words } from "./words.ts";

/** More numbers than these wait until they are asked for. */
const FEW = 3;

/** The count of each type, and under it the figures of its numbers. */
export function Figures({ types }: { types: readonly TypeFigures[] }) {
  const w = useWords(words);
  const there = types.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const missing = types.filter(({ count }) => count === 0);
  return (
    <>
      <ul className="figures">
        {there.map((type) => (
          <li key={type.type} data-figures={type.type}>
            <OfType type={type} />
          </li>
        ))}
      </ul>
      {missing.length > 0 && <p className="quiet small">{w.none} {missing.map(({ type }) => spaced(type)).join(", ")}</p>}
    </>
  );
}

function OfType({ type: { type, count, numbers } }: { type: TypeFigures }) {
  const head = (
    <>
      <span className="dot" style={{ background: colourOf(type) }} />
      <span className="figures-type">{spaced(type)}</span>
      <b className="num" data-count={count}>{number(count, 0)}</b>
    </>
  );
  if (numbers.length === 0) return <div className="figures-head">{head}<span className="figures-space" /></div>;
  return (
    <details open={numbers.length <= FEW}>
      <summary className="figures-head">{head}<Icon name="chevron" size={13} /></summary>
      <Numbers type={type} count={count} numbers={numbers} />
    </details>
  );
}

function Numbers({ type, count, numbers }: { type: string; count: number; numbers: readonly NumberFigures[] }) {
  const w = useWords(words);
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={spaced(type)}>
      <table className="table figures-table">
        <thead>
          <tr>
            <th scope="col">{w.attribute}</th>
            {OF_NUMBER.map((figure) => <th key={figure} scope="col" className="num">{w[figure]}</th>)}
          </tr>
        </thead>
        <tbody>
          {numbers.map((figures) => (
            <tr key={`${figures.attribute} ${figures.unit}`} data-number={figures.attribute} data-unit={figures.unit ?? ""}>
              <th scope="row">
                {spaced(figures.attribute)} <span className="quiet">{unit(figures.unit ?? undefined)}</span>
                {figures.count < count && <span className="quiet small num"> · {number(figures.count, 0)} {w.of} {number(count, 0)}</span>}
              </th>
              {OF_NUMBER.map((figure) => (
                <td key={figure} className="num" data-figure={figure} data-value={figures[figure]}>{number(figures[figure], Math.abs(figures[figure]) >= 1_000 ? 0 : 2)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
