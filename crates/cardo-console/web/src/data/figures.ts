/** What entities amount to: counts and figures of numbers, in an area or by areas. */
import type { Geometry } from "geojson";
import { graphql } from "./graphql.ts";
import { getJson, Refusal } from "./http.ts";

export interface NumberFigures {
  attribute: string;
  /** The code of the unit. */
  unit: string | null;
  count: number;
  sum: number;
  mean: number;
  min: number;
  max: number;
}

export interface TypeFigures {
  type: string;
  count: number;
  numbers: NumberFigures[];
}

export interface AreaFigures {
  area: { id: string };
  types: TypeFigures[];
}

const FIGURES = "type count numbers { attribute unit count sum mean min max }";

/** A question with its variables, as it is sent and as it can be copied. */
export interface Question {
  query: string;
  variables: Record<string, unknown>;
}

/** The most areas that are asked for at once, which is what a server answers. */
export const MOST_AREAS = 1_000;

export const inArea = (area: Geometry): Question => ({
  query: `query Figures($area: Geometry) { aggregate(area: $area) { ${FIGURES} } }`,
  variables: { area },
});

export const byArea = (areas: string, type: readonly string[], first: number): Question => ({
  query: `query FiguresByArea($areas: String!, $type: [String!], $first: Int) { aggregateByArea(areas: $areas, type: $type, first: $first) { area { id } types { ${FIGURES} } } }`,
  variables: { areas, type, first: Math.min(first, MOST_AREAS) },
});

export const askInArea = async ({ query, variables }: Question, signal: AbortSignal): Promise<TypeFigures[]> =>
  (await graphql<{ aggregate: TypeFigures[] }>(query, variables, signal)).aggregate;

/** The same figures as a table of the server's OGC API. */
export const tablePath = (areas: string, type: readonly string[], form: "csv" | "geojson") =>
  `ogc/aggregates?areas=${encodeURIComponent(areas)}&collections=${type.map(encodeURIComponent).join(",")}&f=${form}`;

/** Asks GraphQL, and where so many areas are too much for a question there, for the table. */
export async function askByArea(areas: string, type: readonly string[], first: number, signal: AbortSignal): Promise<AreaFigures[]> {
  const { query, variables } = byArea(areas, type, first);
  try {
    return (await graphql<{ aggregateByArea: AreaFigures[] }>(query, variables, signal)).aggregateByArea;
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "TOO_COMPLEX")) throw error;
    const table = await getJson<Table>(tablePath(areas, type, "geojson"), signal, "application/geo+json");
    return table.features.map(({ id, properties }) => ({ area: { id }, types: type.map((name) => ofTable(name, properties)) }));
  }
}

interface Table {
  features: { id: string; properties: Record<string, unknown> }[];
}

/** Reads columns such as `Building.count` and `Building.height.MTR.mean`. */
export function ofTable(type: string, row: Readonly<Record<string, unknown>>): TypeFigures {
  const numbers = Object.entries(row).flatMap(([column, mean]): NumberFigures[] => {
    if (!column.startsWith(`${type}.`) || !column.endsWith(".mean") || typeof mean !== "number") return [];
    const [attribute = "", ...unit] = column.slice(type.length + 1, -".mean".length).split(".");
    const part = (name: string) => Number(row[`${column.slice(0, -"mean".length)}${name}`]);
    return [{ attribute, unit: unit.join(".") || null, count: part("count"), sum: part("sum"), mean, min: part("min"), max: part("max") }];
  });
  return { type, count: Number(row[`${type}.count`] ?? 0), numbers };
}
