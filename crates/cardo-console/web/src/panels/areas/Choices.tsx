import { useId } from "react";
import { useWords } from "../../app/language.ts";
import { changeMore } from "../../app/view.ts";
import { colourOf } from "../../map/palette.ts";
import { spaced } from "../../ui/format.ts";
import { shortLabelOf } from "./label.ts";
import { measureKey, OF_NUMBER, OF_TYPE, type Measure } from "./measure.ts";
import { words } from "./words.ts";

interface ChoicesProps {
  areas: string;
  types: readonly string[];
  countable: readonly string[];
  counted: readonly string[];
  measure: Measure | undefined;
  numbers: readonly { type: string; attribute: string; unit: string | null }[];
}

/** Which areas, what is counted in them, and what shades them. */
export function Choices({ areas, types, countable, counted, measure, numbers }: ChoicesProps) {
  const w = useWords(words);
  const id = useId();
  return (
    <div className="choices">
      <label htmlFor={`${id}-areas`}>{w.areas}</label>
      <select id={`${id}-areas`} className="select" value={areas} onChange={(event) => changeMore({ areas: event.target.value, sort: undefined })}>
        {types.map((name) => <option key={name} value={name}>{spaced(name)}</option>)}
      </select>
      <span id={`${id}-counted`}>{w.counted}</span>
      <Counted labelledBy={`${id}-counted`} countable={countable} counted={counted} />
      <label htmlFor={`${id}-shade`}>{w.shade}</label>
      <select id={`${id}-shade`} className="select" value={measure && measureKey(measure)} onChange={(event) => changeMore({ shade: event.target.value, sort: undefined })}>
        {counted.map((type) => (
          <optgroup key={type} label={spaced(type)}>
            {measuresOf(type, numbers, measure).map((one) => (
              <option key={measureKey(one)} value={measureKey(one)}>{spaced(type)} · {shortLabelOf(one, w)}</option>
            ))}
          </optgroup>
        ))}
      </select>
    </div>
  );
}

/** What a type can be shaded by; what it is shaded by also before its numbers are known. */
function measuresOf(type: string, numbers: ChoicesProps["numbers"], chosen: Measure | undefined): Measure[] {
  const own = numbers.filter((number) => number.type === type);
  if (own.length === 0 && chosen?.number && chosen.type === type) own.push({ type, ...chosen.number });
  return [
    ...OF_TYPE.map((figure) => ({ type, figure })),
    ...own.flatMap(({ attribute, unit }) => OF_NUMBER.map((figure) => ({ type, figure, number: { attribute, unit } }))),
  ];
}

/** How many choices are in sight before the others are asked for. */
const IN_SIGHT = 6;

function Counted({ labelledBy, countable, counted }: { labelledBy: string; countable: readonly string[]; counted: readonly string[] }) {
  const w = useWords(words);
  const toggle = (name: string) => {
    const next = counted.includes(name) ? counted.filter((other) => other !== name) : [...counted, name];
    changeMore({ counted: next.join(",") || "-" });
  };
  const chip = (name: string) => (
    <button key={name} type="button" className="chip" aria-pressed={counted.includes(name)} onClick={() => toggle(name)}>
      <span className="dot" style={{ background: colourOf(name) }} />
      {spaced(name)}
    </button>
  );
  const first = countable.filter((name, at) => at < IN_SIGHT || counted.includes(name));
  const others = countable.filter((name) => !first.includes(name));
  return (
    <div className="chips" role="group" aria-labelledby={labelledBy}>
      {first.map(chip)}
      {others.length > 0 && (
        <details>
          <summary className="chip">{others.length} {w.more}</summary>
          <div className="chips">{others.map(chip)}</div>
        </details>
      )}
    </div>
  );
}
