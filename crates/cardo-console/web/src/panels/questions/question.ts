/**
 * A question as it is kept: in the address of the page, and to be said in the language of each face.
 *
 *     Building/height:ge:20/@near:24.9414,60.1719:500/@by:height:desc/@first:200
 */
import type { Position } from "geojson";
import type { Box } from "../../data/twin.ts";

export const OPERATORS = ["eq", "ne", "gt", "ge", "lt", "le", "has", "in", "exists", "missing"] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  column: string;
  operator: Operator;
  /** As they were typed; what they are is for the column to say. */
  values: readonly string[];
}

export type Area =
  | { kind: "view" }
  | { kind: "polygon"; ring: readonly Position[] }
  | { kind: "near"; at: readonly [number, number]; distance: number };

export interface Question {
  type: string;
  /** All of them have to hold. */
  conditions: readonly Condition[];
  area: Area | undefined;
  order: { column: string; isDown: boolean } | undefined;
  first: number;
}

/** A question whose area is a place of its own, whatever is looked at. */
export interface Placed extends Question {
  box: Box | undefined;
}

export type Kind = "number" | "text" | "boolean" | "moment" | "id" | "json";

/** A column that can be asked for. */
export interface Field {
  name: string;
  kind: Kind;
  /** The path by which NGSI-LD knows it; absent where it has no name for it without a context. */
  path: string | undefined;
  isSortable: boolean;
}

const COMPARED: readonly Operator[] = ["eq", "ne", "gt", "ge", "lt", "le"];
const PRESENCE: readonly Operator[] = ["exists", "missing"];

export const OPERATORS_OF: Readonly<Record<Kind, readonly Operator[]>> = {
  number: [...COMPARED, "in", ...PRESENCE],
  text: ["eq", "ne", "has", "in", ...PRESENCE],
  boolean: ["eq", ...PRESENCE],
  moment: ["ge", "le", "gt", "lt", ...PRESENCE],
  id: ["eq", "ne", "in", ...PRESENCE],
  json: ["eq", "ne", ...PRESENCE],
};

export const SIZES = [50, 200, 1000] as const;

export const blank = (type: string): Question => ({ type, conditions: [], area: undefined, order: undefined, first: SIZES[0] });

/** Whether a condition says what it needs to say. */
export function isWhole({ operator, values }: Condition, kind: Kind | undefined): boolean {
  if (operator === "exists" || operator === "missing") return true;
  const given = values.filter((value) => value !== "");
  if (given.length === 0) return false;
  if (kind === "number") return given.every((value) => value.trim() !== "" && Number.isFinite(Number(value)));
  if (kind === "moment") return given.every((value) => !Number.isNaN(Date.parse(value)));
  return true;
}

export function writeQuestion({ type, conditions, area, order, first }: Question): string {
  const parts = [safe(type)];
  for (const { column, operator, values } of conditions) {
    parts.push([safe(column), operator, values.map(safe).join(",")].join(":"));
  }
  if (area?.kind === "view") parts.push("@view");
  if (area?.kind === "polygon") parts.push(`@polygon:${area.ring.flat().map(short).join(",")}`);
  if (area?.kind === "near") parts.push(`@near:${area.at.map(short).join(",")}:${area.distance}`);
  if (order) parts.push(`@by:${safe(order.column)}:${order.isDown ? "desc" : "asc"}`);
  if (first !== SIZES[0]) parts.push(`@first:${first}`);
  return parts.join("/");
}

export function readQuestion(text: string): Question | undefined {
  const [type, ...parts] = text.split("/");
  if (!type) return undefined;
  let question = blank(plain(type));
  for (const part of parts) {
    const [head = "", second = "", third = ""] = part.split(":");
    question = { ...question, ...(head.startsWith("@") ? said(head, second, third) : condition(question, head, second, third)) };
  }
  return question;
}

function condition({ conditions }: Question, column: string, operator: string, values: string): Partial<Question> {
  if (!OPERATORS.includes(operator as Operator)) return {};
  const one = { column: plain(column), operator: operator as Operator, values: values.split(",").map(plain) };
  return { conditions: [...conditions, one] };
}

function said(head: string, second: string, third: string): Partial<Question> {
  const numbers = second.split(",").map(Number);
  const areNumbers = second !== "" && numbers.every(Number.isFinite);
  switch (head) {
    case "@view":
      return { area: { kind: "view" } };
    case "@polygon":
      return areNumbers && numbers.length >= 6 ? { area: { kind: "polygon", ring: pairs(numbers) } } : {};
    case "@near":
      return areNumbers && numbers.length === 2 && Number(third) > 0 ? { area: { kind: "near", at: [numbers[0]!, numbers[1]!], distance: Number(third) } } : {};
    case "@by":
      return { order: { column: plain(second), isDown: third === "desc" } };
    case "@first":
      return SIZES.some((size) => size === numbers[0]) ? { first: numbers[0]! } : {};
    default:
      return {};
  }
}

const pairs = (numbers: number[]): Position[] =>
  Array.from({ length: Math.floor(numbers.length / 2) }, (_, at) => [numbers[2 * at]!, numbers[2 * at + 1]!]);

/** Six digits of a degree are a tenth of a metre. */
export const short = (degrees: number): string => String(Math.round(degrees * 1e6) / 1e6);

/** A closed ring, as GeoJSON has it. */
export function closed(ring: readonly Position[]): Position[] {
  const [first, last] = [ring[0], ring[ring.length - 1]];
  const isClosed = first && last && first[0] === last[0] && first[1] === last[1];
  return isClosed || !first ? [...ring] : [...ring, first];
}

export const ringOf = ([west, south, east, north]: Box): Position[] => [
  [west, south], [east, south], [east, north], [west, north], [west, south],
];

/** The separators of the form are never part of a value. */
const safe = encodeURIComponent;

function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
