/** What entities amount to: counts and figures of numbers, in an area or by areas. */
import type { Geometry } from "geojson";
import { graphql } from "./graphql.ts";

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

export const byArea = (areas: string, type: readonly string[]): Question => ({
  query: `query FiguresByArea($areas: String!, $type: [String!]) { aggregateByArea(areas: $areas, type: $type, first: ${MOST_AREAS}) { area { id } types { ${FIGURES} } } }`,
  variables: { areas, type },
});

export const askInArea = async ({ query, variables }: Question, signal: AbortSignal): Promise<TypeFigures[]> =>
  (await graphql<{ aggregate: TypeFigures[] }>(query, variables, signal)).aggregate;

export const askByArea = async ({ query, variables }: Question, signal: AbortSignal): Promise<AreaFigures[]> =>
  (await graphql<{ aggregateByArea: AreaFigures[] }>(query, variables, signal)).aggregateByArea;
