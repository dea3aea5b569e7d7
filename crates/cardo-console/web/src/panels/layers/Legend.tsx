import { useWords } from "../../app/language.ts";
import { classColours } from "../../map/palette.ts";
import type { Classes } from "../../map/plan.ts";
import { number, spaced, unit } from "../../ui/format.ts";
import { words } from "./words.ts";

/** The classes of a number with their bounds and unit. */
export function Legend({ classes }: { classes: Classes }) {
  const w = useWords(words);
  const colours = classColours(classes.breaks.length);
  const sign = unit(classes.unit);
  const bound = (at: number) => {
    const [low, high] = [classes.breaks[at - 1], classes.breaks[at]];
    if (low === undefined && high === undefined) return "";
    if (low === undefined) return `< ${number(high!)}`;
    return high === undefined ? `≥ ${number(low)}` : `${number(low)} – ${number(high)}`;
  };
  return (
    <figure className="legend">
      <figcaption className="small quiet">
        {spaced(classes.column)}
        {sign && ` (${sign})`}
      </figcaption>
      <ul>
        {colours.map((colour, at) => (
          <li key={colour}>
            <span className="legend-swatch" style={{ background: colour }} />
            <span className="num small">{bound(at)}</span>
          </li>
        ))}
        <li>
          <span className="legend-swatch none" />
          <span className="small quiet">{w.none}</span>
        </li>
      </ul>
    </figure>
  );
}
