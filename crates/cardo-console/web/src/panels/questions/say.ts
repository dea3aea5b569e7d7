/** A question in the words of each face. Nothing here asks anything. */
import { closed, isWhole, ringOf, short, type Condition, type Field, type Placed } from "./question.ts";

/** What a face has no words for. */
export type Gap =
  | { what: "operator"; column: string }
  | { what: "column"; column: string }
  | { what: "polygon" }
  | { what: "near" }
  | { what: "order" };

export interface Said {
  /** The address below the page's; absent where the face cannot say the conditions. */
  path: string | undefined;
  /** The text of a question that has one beside its address. */
  text?: string;
  gaps: Gap[];
}

/** What the translation has to know of a type. */
export interface Known {
  /** What NGSI-LD calls the type. */
  type: string;
  /** The collection of OGC API. */
  collection: string;
  /** The list field of GraphQL. */
  list: string;
  /** The column of the geometry, and its path. */
  geometry: { column: string; path: string | undefined } | undefined;
  fields: readonly Field[];
}

/** Percent-encoding that also a shell's quotes survive; what is harmless in a query stays legible. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`).replace(/%(2C|3A|2F)/g, decodeURIComponent);

const address = (path: string, members: [string, string][]): string => `${path}?${members.map(([name, value]) => `${encode(name)}=${encode(value)}`).join("&")}`;

/** A pattern that texts meet which hold this one, whatever their case; without quotes and backslashes of its own. */
export const holding = (text: string): string =>
  `(?i)${text.replace(/[\\"$()*+.?[\]^{|}]/g, (c) => (c === '"' ? "\\x22" : c === "\\" ? "\\x5c" : `\\${c}`))}`;

const asked = ({ conditions }: Placed, { fields }: Known): [Condition, Field][] =>
  conditions.flatMap((condition) => {
    const field = fields.find(({ name }) => name === condition.column);
    return field && isWhole(condition, field.kind) ? [[condition, field] as [Condition, Field]] : [];
  });

const given = ({ values }: Condition): string[] => values.filter((value) => value !== "");

// NGSI-LD

const SIGNS = { eq: "==", ne: "!=", gt: ">", ge: ">=", lt: "<", le: "<=", has: "~=", in: "==" } as const;

function literal(value: string, { kind }: Field): string {
  if (kind === "number") return String(Number(value));
  if (kind === "boolean") return value;
  if (kind === "moment") return new Date(value).toISOString();
  return JSON.stringify(value);
}

function term(condition: Condition, field: Field, path: string): string {
  const { operator } = condition;
  if (operator === "exists") return path;
  if (operator === "missing") return `!${path}`;
  const values = given(condition);
  if (operator === "has") return `${path}~="${holding(values[0]!)}"`;
  return path + SIGNS[operator] + (operator === "in" ? values : values.slice(0, 1)).map((value) => literal(value, field)).join(",");
}

export function inNgsi(question: Placed, known: Known): Said {
  const gaps: Gap[] = [];
  const terms = asked(question, known).flatMap(([condition, field]) => {
    if (field.path !== undefined) return [term(condition, field, field.path)];
    gaps.push({ what: "column", column: field.name });
    return [];
  });
  const members: [string, string][] = [["type", known.type]];
  if (terms.length > 0) members.push(["q", terms.join(";")]);
  if (question.area && known.geometry) {
    if (known.geometry.path === undefined) gaps.push({ what: "column", column: known.geometry.column });
    members.push(...geoquery(question));
    if (known.geometry.path && known.geometry.path !== "location") members.push(["geoproperty", known.geometry.path]);
  }
  const isSaid = gaps.length === 0;
  if (question.order) {
    const { column, isDown } = question.order;
    const path = known.fields.find(({ name }) => name === column)?.path;
    if (path === undefined) gaps.push({ what: "order" });
    else members.push(["orderBy", isDown ? `${path};desc` : path]);
  }
  members.push(["limit", String(question.first)], ["count", "true"], ["options", "keyValues"]);
  return { path: isSaid ? address("ngsi-ld/v1/entities", members) : undefined, gaps };
}

function geoquery({ area, box }: Placed): [string, string][] {
  const around = (ring: readonly (readonly number[])[]) => `[[${ring.map((at) => `[${at.map(short).join(",")}]`).join(",")}]]`;
  if (area?.kind === "near") {
    return [["georel", `near;maxDistance==${area.distance}`], ["geometry", "Point"], ["coordinates", `[${area.at.map(short).join(",")}]`]];
  }
  const ring = area?.kind === "polygon" ? closed(area.ring) : box && ringOf(box);
  return ring ? [["georel", "intersects"], ["geometry", "Polygon"], ["coordinates", around(ring)]] : [];
}

// OGC API Features, Part 1: a property has a value (7.15.5), and a box (7.15.3).

export function inOgc(question: Placed, known: Known): Said {
  const gaps: Gap[] = [];
  const members: [string, string][] = [];
  for (const [condition, field] of asked(question, known)) {
    const isTwice = members.some(([name]) => name === field.name);
    if (field.kind === "json") gaps.push({ what: "column", column: field.name });
    else if (condition.operator !== "eq" || isTwice) gaps.push({ what: "operator", column: field.name });
    else members.push([field.name, field.kind === "number" ? String(Number(given(condition)[0])) : given(condition)[0]!]);
  }
  if (question.area?.kind === "polygon") gaps.push({ what: "polygon" });
  if (question.area?.kind === "near") gaps.push({ what: "near" });
  if (question.box) members.push(["bbox", question.box.map(short).join(",")]);
  const isSaid = gaps.length === 0;
  if (question.order) gaps.push({ what: "order" });
  members.push(["limit", String(question.first)]);
  return { path: isSaid ? address(`ogc/collections/${encodeURIComponent(known.collection)}/items`, members) : undefined, gaps };
}

// GraphQL

const constant = (value: string, field: Field): string =>
  field.kind === "moment" ? JSON.stringify(literal(value, field)) : literal(value, field);

function test(condition: Condition, field: Field): string {
  const { operator } = condition;
  const values = given(condition).map((value) => constant(value, field));
  if (operator === "exists" || operator === "missing") return `exists: ${operator === "exists"}`;
  if (operator === "has") return `matches: ${JSON.stringify(holding(given(condition)[0]!))}`;
  if (operator === "in") return `in: [${values.join(", ")}]`;
  return `${operator}: ${values[0]}`;
}

/** The argument of GraphQL, on lines of its own. */
export function filterOf(question: Placed, known: Known): string | undefined {
  const parts = asked(question, known).map(([condition, field]) => `${field.name}: { ${test(condition, field)} }`);
  const place = known.geometry && placeOf(question);
  if (place) parts.push(`${known.geometry?.column}: { ${place} }`);
  if (parts.length === 0) return undefined;
  const names = parts.map((part) => part.slice(0, part.indexOf(":")));
  const isPlain = new Set(names).size === names.length;
  return isPlain ? `{ ${parts.join(", ")} }` : `{ and: [${parts.map((part) => `{ ${part} }`).join(", ")}] }`;
}

function placeOf({ area, box }: Placed): string | undefined {
  if (area?.kind === "near") return `near: { lon: ${short(area.at[0])}, lat: ${short(area.at[1])}, maxDistance: ${area.distance} }`;
  if (area?.kind === "polygon") {
    const ring = closed(area.ring).map((at) => `[${at.map(short).join(", ")}]`);
    return `intersects: { type: "Polygon", coordinates: [[${ring.join(", ")}]] }`;
  }
  return box && `bbox: [${box.map(short).join(", ")}]`;
}

export function inGraphql(question: Placed, known: Known, selected: readonly string[] = ["id"]): Said {
  const filter = filterOf(question, known);
  const { order } = question;
  const lines = [
    `    first: ${question.first}`,
    ...(filter ? [`    filter: ${filter}`] : []),
    ...(order ? [`    orderBy: [{ field: ${order.column}, direction: ${order.isDown ? "DESC" : "ASC"} }]`] : []),
  ];
  const text = `{\n  ${known.list}(\n${lines.join("\n")}\n  ) {\n    totalCount\n    nodes { ${selected.join(" ")} }\n  }\n}`;
  // Spaces mean nothing between its tokens, and texts are kept.
  return { path: address("graphql", [["query", tight(text)]]), text, gaps: [] };
}

/** The same text without what only makes it easier to read. */
const tight = (text: string): string => text.replace(/\n\s*/g, " ").trim();

// curl

/** A word of a shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export type Face = "ngsi" | "ogc" | "graphql";

/** A command for a terminal; who has to say who asks puts a token into the environment. */
export function curl(face: Face, said: Said, base: string, isSignedIn: boolean): string | undefined {
  if (said.path === undefined) return undefined;
  const who = isSignedIn ? ' -H "Authorization: Bearer $CARDO_TOKEN"' : "";
  if (face === "graphql" && said.text !== undefined) {
    const body = quoted(JSON.stringify({ query: tight(said.text) }));
    return `curl${who} -H 'Content-Type: application/json' -d ${body} ${quoted(`${base}graphql`)}`;
  }
  const accept = face === "ogc" ? "application/geo+json" : "application/json";
  return `curl${who} -H 'Accept: ${accept}' ${quoted(base + said.path)}`;
}
