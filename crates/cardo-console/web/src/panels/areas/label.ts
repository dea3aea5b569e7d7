/** What a measure is called, and its values in words. */
import { number, spaced, unit } from "../../ui/format.ts";
import { OF_TYPE, type Measure } from "./measure.ts";
import type { words } from "./words.ts";

type Texts = { [K in keyof (typeof words)["en"]]: string };

/** `Building: height, mean (m)` */
export function labelOf({ type, number, figure }: Measure, w: Texts): string {
  const word = figure === "count" ? w.number : w[figure];
  if (!number) return `${spaced(type)}, ${word}`;
  const sign = unit(number.unit ?? undefined);
  return `${spaced(type)}: ${spaced(number.attribute).toLowerCase()}, ${word.toLowerCase()}${sign ? ` (${sign})` : ""}`;
}

/** The same without its type. */
export function shortLabelOf({ number, figure }: Measure, w: Texts): string {
  const word = figure === "count" ? w.number : w[figure];
  const sign = number && unit(number.unit ?? undefined);
  return number ? `${spaced(number.attribute)}, ${word.toLowerCase()}${sign ? ` (${sign})` : ""}` : word;
}

export function shown(value: number, { figure }: Measure): string {
  const isWhole = figure === "count" || Math.abs(value) >= 1_000;
  return number(value, isWhole ? 0 : OF_TYPE.includes(figure as "density") ? 1 : 2);
}
