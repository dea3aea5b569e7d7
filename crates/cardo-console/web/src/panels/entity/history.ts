/** The values that the numbers of an entity had. */
import { useQuery } from "@tanstack/react-query";
import { getJson } from "../../data/http.ts";

/** The last values of each attribute. */
export const LAST = 300;

export interface Series {
  attribute: string;
  /** Seconds, rising. */
  times: number[];
  values: number[];
}

interface Temporal {
  [attribute: string]: unknown;
}

interface Values {
  values: [unknown, string][];
}

export const historyPath = (id: string, attributes: readonly string[]) =>
  `ngsi-ld/v1/temporal/entities/${encodeURIComponent(id)}?attrs=${attributes.map(encodeURIComponent).join(",")}&lastN=${LAST}&options=temporalValues`;

/** One series of each attribute that had more than one value. */
export function seriesOf(temporal: Temporal, attributes: readonly string[]): Series[] {
  return attributes.flatMap((attribute) => {
    const found = [temporal[attribute]].flat()[0] as Values | undefined;
    const pairs = (found?.values ?? [])
      .map(([value, time]) => [Date.parse(time) / 1000, value] as const)
      .filter((pair): pair is readonly [number, number] => typeof pair[1] === "number" && Number.isFinite(pair[0]))
      .sort((a, b) => a[0] - b[0]);
    // A later value of the same moment takes the place of the earlier.
    const byTime = new Map(pairs);
    if (new Set(byTime.values()).size < 2) return [];
    return [{ attribute, times: [...byTime.keys()], values: [...byTime.values()] }];
  });
}

export function useHistory(id: string, attributes: readonly string[]) {
  return useQuery({
    queryKey: ["history", id, attributes],
    queryFn: async ({ signal }) => seriesOf(await getJson<Temporal>(historyPath(id, attributes), signal), attributes),
    enabled: attributes.length > 0,
    placeholderData: (before) => before,
    retry: false,
  });
}
