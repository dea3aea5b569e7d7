/** The sources that the server takes in, as `/sources` tells of them, and the server's own state. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { ask, authorization, getJson, Refusal, url } from "./http.ts";

export type SourceState = "starting" | "running" | "waiting" | "failing" | "stopped";

export interface Source {
  name: string;
  kind: string | null;
  state: SourceState;
  lastRecord: string | null;
  /** Records a second, over the last minute. */
  rate: number;
  taken: number;
  unchanged: number;
  late: number;
  skipped: number;
  quarantined: number;
  failures: number;
  errors: number;
  lastError: { message: string; at: string } | null;
  /** How many records the quarantine holds. */
  quarantine: number;
  nextAttempt: string | null;
  simulated?: boolean;
}

export interface Quarantined {
  /** The record's place in the source, and the byte and line at which it starts. */
  record: number;
  offset: number;
  line?: number;
  reason: string;
  at: string;
  /** What was kept of it. */
  feature?: string;
  text?: string;
  hex?: string;
  is_cut?: boolean;
}

export interface QuarantinePage {
  total: number;
  offset: number;
  records: Quarantined[];
}

/** What came of trying a quarantine again. */
export interface Replayed {
  records: number;
  taken: number;
  quarantined: number;
}

const OFTEN = 3_000;
export const PAGE = 20;

const pathOf = (name: string) => `sources/${encodeURIComponent(name)}/quarantine`;

/** Every source; `null` where the server has no such address. Asked again while the page is in sight. */
export const useSources = () =>
  useQuery({
    queryKey: ["sources"],
    queryFn: async ({ signal }): Promise<Source[] | null> => {
      try {
        return await getJson<Source[]>("sources", signal);
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: ({ state }) => (state.data === null ? false : OFTEN),
  });

/** A page of a quarantine; `size` is how many the source says that it holds. */
export const useQuarantine = (name: string, offset: number, size: number) =>
  useQuery({
    queryKey: ["quarantine", name, offset, size],
    queryFn: ({ signal }) => getJson<QuarantinePage>(`${pathOf(name)}?limit=${PAGE}&offset=${offset}`, signal),
    placeholderData: (before) => before,
  });

function useChange<T>(change: () => Promise<T>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(["sources", "quarantine"].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
}

export const useReplay = (name: string) =>
  useChange(async () => (await (await ask(`${pathOf(name)}/replay`, { method: "POST" })).json()) as Replayed);

export const useDiscard = (name: string) => useChange(() => ask(pathOf(name), { method: "DELETE" }));

export interface ServerState {
  version: string;
  isUp: boolean;
  isReady: boolean;
  /** What the store says of itself. */
  store: string;
  behind: number;
}

interface Ready {
  status?: string;
  store?: string;
  projector?: { revisionsBehind?: number };
}

async function serverState(signal: AbortSignal): Promise<ServerState> {
  const health = await getJson<{ status: string; version: string }>("health", signal);
  // Not being ready is an answer as well.
  const answer = await fetch(url("ready"), { headers: authorization(), signal });
  const ready = (await answer.json().catch(() => ({}))) as Ready;
  return {
    version: health.version,
    isUp: health.status === "up",
    isReady: answer.ok,
    store: ready.store ?? answer.statusText,
    behind: ready.projector?.revisionsBehind ?? 0,
  };
}

export const useServerState = () =>
  useQuery({ queryKey: ["server"], queryFn: ({ signal }) => serverState(signal), refetchInterval: OFTEN });
