/** The answer to a question: its rows, and what of it lies on the map. */
import { useQuery } from "@tanstack/react-query";
import type { Feature, Geometry } from "geojson";
import { useEffect, useState } from "react";
import { useStore } from "../../app/store.ts";
import { graphql } from "../../data/graphql.ts";
import type { Box } from "../../data/twin.ts";
import { mapHandle } from "../../map/handle.ts";
import type { Askable } from "./fields.ts";
import type { Field, Placed, Question } from "./question.ts";
import { inGraphql } from "./say.ts";

export type Row = { id: string } & Record<string, unknown>;

export interface Answer {
  total: number;
  rows: Row[];
}

type Listed = Record<string, { totalCount: number; nodes: Row[] }>;

/** At most so many are drawn at once. */
export const MOST_DRAWN = 1_000;

/** The columns that the answer shows: the name, what is asked about, and the order. */
export function shownColumns(question: Question, known: Askable): string[] {
  const asked = [...question.conditions.map((condition) => condition.column), question.order?.column ?? ""];
  const first = known.fields.filter(({ kind, name }) => kind === "number" && !name.includes("__")).map(({ name }) => name);
  const wanted = ["name", ...asked, ...first].filter((column) => column in known.selects && column !== known.geometry?.column);
  return [...new Set(wanted)].slice(0, 4);
}

export const unitColumn = (column: string) => `${column}__unitCode`;

function selection(columns: readonly string[], known: Askable): string[] {
  const units = columns.map(unitColumn).filter((column) => column in known.selects);
  const fields = [...columns, ...units].map((column) => (known.selects[column] === column ? column : `${column}: ${known.selects[column]}`));
  return ["id", ...new Set(fields), ...(known.geometry ? [`cardoPlace: ${known.geometry.column}`] : [])];
}

export function useAnswer(question: Placed | undefined, known: Askable | undefined) {
  const columns = question && known ? shownColumns(question, known) : [];
  const text = question && known && inGraphql(question, known, selection(columns, known)).text;
  return useQuery({
    queryKey: ["answer", text],
    queryFn: async ({ signal }): Promise<Answer> => {
      const answer = (await graphql<Listed>(text!, undefined, signal))[known!.list]!;
      return { total: answer.totalCount, rows: answer.nodes };
    },
    enabled: text !== undefined && isPlaced(question),
    // What lives changes while one looks at it.
    refetchInterval: 10_000,
    placeholderData: (before) => before,
  });
}

/** The view has no box before there is a map. */
const isPlaced = (question: Placed | undefined) => question?.area?.kind !== "view" || question.box !== undefined;

/** What matches, as features: all of it where that is little, else what lies in the view. */
export function useMarks(question: Placed | undefined, known: Askable | undefined, total: number, seen: Box | undefined) {
  const isMany = total > MOST_DRAWN && question?.area === undefined;
  const bounded = question && { ...question, first: MOST_DRAWN, order: undefined, ...(isMany && seen ? { area: { kind: "view" as const }, box: seen } : {}) };
  const text = bounded && known?.geometry && inGraphql(bounded, known, ["id", `cardoPlace: ${known.geometry.column}`]).text;
  return useQuery({
    queryKey: ["marks", text],
    queryFn: async ({ signal }): Promise<Feature[]> => {
      const { nodes } = (await graphql<Listed>(text!, undefined, signal))[known!.list]!;
      return nodes.flatMap(({ id, cardoPlace }) =>
        cardoPlace ? [{ type: "Feature" as const, id, geometry: cardoPlace as Geometry, properties: { id } }] : [],
      );
    },
    enabled: Boolean(text) && isPlaced(bounded) && total > 0,
    refetchInterval: 10_000,
    placeholderData: (before) => before,
  });
}

/** From so many entities the values are taken that are proposed, and at most so many are. */
const LOOKED_AT = 300;
const MOST_PROPOSED = 40;

/** Values that a column of texts has, to choose from. */
export function useProposals(known: Askable | undefined, field: Field | undefined) {
  const selects = field && known?.selects[field.name];
  const text = field?.kind === "text" && selects ? `{ ${known!.list}(first: ${LOOKED_AT}, filter: { ${field.name}: { exists: true } }) { nodes { value: ${selects} } } }` : undefined;
  return useQuery({
    queryKey: ["proposals", text],
    queryFn: async ({ signal }): Promise<string[]> => {
      const { nodes } = (await graphql<Record<string, { nodes: { value: unknown }[] }>>(text!, undefined, signal))[known!.list]!;
      const values = nodes.map(({ value }) => value).filter((value) => typeof value === "string");
      return [...new Set(values)].slice(0, MOST_PROPOSED).sort((a, b) => a.localeCompare(b));
    },
    enabled: text !== undefined,
    staleTime: 60_000,
  });
}

/** The box of what is looked at, once the map rests. */
export function useSeen(): Box | undefined {
  const map = useStore(mapHandle);
  const [seen, setSeen] = useState<Box>();
  useEffect(() => {
    if (!map) return;
    const look = () => {
      const bounds = map.getBounds();
      const round = (degrees: number) => Math.round(degrees * 1e5) / 1e5;
      const [west, east] = [Math.max(bounds.getWest(), -180), Math.min(bounds.getEast(), 180)];
      setSeen([west, bounds.getSouth(), east, bounds.getNorth()].map(round) as Box);
    };
    look();
    map.on("moveend", look);
    return () => void map.off("moveend", look);
  }, [map]);
  return seen;
}
