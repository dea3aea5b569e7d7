/** What entities amount to: counts and figures of numbers, in an area or by areas. */
import type { Geometry } from "geojson";
import { graphql } from "./graphql.ts";
import { Refusal } from "./http.ts";

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

/** By so many areas; with the figures of numbers, or counts alone. */
export const byArea = (areas: string, type: readonly string[], first: number, hasNumbers = true): Question => ({
  query:
    "query FiguresByArea($areas: String!, $type: [String!], $first: Int) " +
    `{ aggregateByArea(areas: $areas, type: $type, first: $first) { area { id } types { ${hasNumbers ? FIGURES : "type count"} } } }`,
  variables: { areas, type, first: Math.min(first, MOST_AREAS) },
});

export const askInArea = async ({ query, variables }: Question, signal: AbortSignal): Promise<TypeFigures[]> =>
  (await graphql<{ aggregate: TypeFigures[] }>(query, variables, signal)).aggregate;

export interface ByArea {
  areas: AreaFigures[];
  question: Question;
  /** Whether the figures of numbers would have been too much for the server. */
  isCut: boolean;
}

/** Asks for everything, and where that is too much at once for the server, for counts. */
export async function askByArea(areas: string, type: readonly string[], first: number, signal: AbortSignal): Promise<ByArea> {
  const whole = byArea(areas, type, first);
  try {
    return { areas: await answer(whole, signal), question: whole, isCut: false };
  } catch (error) {
    if (!(error instanceof Refusal && error.code === "TOO_COMPLEX")) throw error;
    const counts = byArea(areas, type, first, false);
    const found = await answer(counts, signal);
    return { areas: found.map(({ area, types }) => ({ area, types: types.map((one) => ({ ...one, numbers: [] })) })), question: counts, isCut: true };
  }
}

const answer = async ({ query, variables }: Question, signal: AbortSignal): Promise<AreaFigures[]> =>
  (await graphql<{ aggregateByArea: AreaFigures[] }>(query, variables, signal)).aggregateByArea;
