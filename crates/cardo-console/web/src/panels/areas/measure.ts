/** One figure of many areas: what a column of the table and the shades of the map show. */
import type { NumberFigures, TypeFigures } from "../../data/figures.ts";
import type { Place } from "./places.ts";

export const OF_TYPE = ["count", "density"] as const;
export const OF_NUMBER = ["sum", "mean", "min", "max"] as const;
export type Figure = (typeof OF_TYPE)[number] | (typeof OF_NUMBER)[number];

export interface Measure {
  type: string;
  figure: Figure;
  /** The number, where it is one's figure. */
  number?: { attribute: string; unit: string | null };
}

/** An area with what lies in it. */
export interface Row {
  place: Place;
  types: TypeFigures[];
}

/** `Building:count`, or `Building:height:MTR:mean`, as it stands in the address. */
export function measureKey({ type, number, figure }: Measure): string {
  return [type, ...(number ? [number.attribute, number.unit ?? ""] : []), figure].join(":");
}

const isIn = (list: readonly string[], figure: string | undefined): figure is Figure => figure !== undefined && list.includes(figure);

export function readMeasure(key: string | undefined): Measure | undefined {
  const parts = (key ?? "").split(":");
  const [type, attribute, unit, figure] = parts;
  if (!type) return undefined;
  if (parts.length === 2 && isIn(OF_TYPE, attribute)) return { type, figure: attribute };
  if (parts.length === 4 && attribute && isIn(OF_NUMBER, figure)) return { type, figure, number: { attribute, unit: unit || null } };
  return undefined;
}

const isOf = ({ attribute, unit }: NumberFigures, wanted: NonNullable<Measure["number"]>) =>
  attribute === wanted.attribute && unit === wanted.unit;

export function valueOf(row: Row, { type, number, figure }: Measure): number | undefined {
  const found = row.types.find((figures) => figures.type === type);
  if (!found) return undefined;
  if (figure === "count") return found.count;
  if (figure === "density") return found.count / (row.place.size / 1e6);
  return found.numbers.find((figures) => number && isOf(figures, number))?.[figure];
}

/** Every number that any of the areas has, with its unit, by type. */
export function numbersOf(rows: readonly Row[]): { type: string; attribute: string; unit: string | null }[] {
  const found = new Map<string, { type: string; attribute: string; unit: string | null }>();
  for (const { types } of rows) {
    for (const { type, numbers } of types) {
      for (const { attribute, unit } of numbers) found.set(`${type}:${attribute}:${unit ?? ""}`, { type, attribute, unit });
    }
  }
  return [...found.values()];
}

/** Every figure there is, for files. */
export function allMeasures(rows: readonly Row[], types: readonly string[]): Measure[] {
  const numbers = numbersOf(rows);
  return types.flatMap((type) => [
    { type, figure: "count" as const },
    ...numbers
      .filter((number) => number.type === type)
      .flatMap(({ attribute, unit }) => OF_NUMBER.map((figure) => ({ type, figure, number: { attribute, unit } }))),
  ]);
}

/** Rows by a column; what has no value comes last either way. */
export function sorted(rows: readonly Row[], by: Measure | "name" | "size", isDown: boolean): Row[] {
  const sign = isDown ? -1 : 1;
  if (by === "name") return [...rows].sort((a, b) => sign * a.place.name.localeCompare(b.place.name, undefined, { numeric: true }));
  const value = (row: Row) => (by === "size" ? row.place.size : valueOf(row, by));
  return [...rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return sign * (x - y);
  });
}
