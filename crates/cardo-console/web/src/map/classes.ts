/** The classes of a number, from a sample of the type's entities. */
import { useQueries } from "@tanstack/react-query";
import { useMemo } from "react";
import { useView } from "../app/view.ts";
import { getJson } from "../data/http.ts";
import type { TwinType } from "../data/twin.ts";
import { classBreaks } from "./palette.ts";
import type { Classes } from "./plan.ts";

/** How many entities are looked at. */
const SAMPLE = 1_000;

interface Items {
  features: { properties: Record<string, unknown> }[];
}

async function classesOf(type: string, column: string, signal: AbortSignal): Promise<Classes> {
  const path = `ogc/collections/${encodeURIComponent(type)}/items?limit=${SAMPLE}`;
  const { features } = await getJson<Items>(path, signal, "application/geo+json");
  const values = features.map(({ properties }) => properties[column]).filter((value) => typeof value === "number");
  const unit = features.map(({ properties }) => properties[`${column}__unitCode`]).find((code) => typeof code === "string");
  return { column, breaks: classBreaks(values), unit: unit as string | undefined };
}

/** The classes of every layer that is coloured by a number. */
export function useClasses(types: readonly TwinType[]): Readonly<Record<string, Classes>> {
  const { by } = useView();
  const wanted = Object.entries(by).filter(([type, column]) =>
    types.some(({ name, columns }) => name === type && columns.some((other) => other.name === column)));
  const answers = useQueries({
    queries: wanted.map(([type, column]) => ({
      queryKey: ["classes", type, column],
      queryFn: ({ signal }: { signal: AbortSignal }) => classesOf(type, column, signal),
      staleTime: 300_000,
    })),
  });
  const found = wanted.flatMap(([type], at) => {
    const classes = answers[at]?.data;
    return classes ? [[type, classes] as const] : [];
  });
  const key = JSON.stringify(found);
  // The same classes are the same object, so that the map is not told anew.
  return useMemo(() => Object.fromEntries(JSON.parse(key) as typeof found), [key]);
}
