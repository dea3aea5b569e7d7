/** One connection for news of the twin (graphql-transport-ws), and how it is. */
import { createClient, type Client } from "graphql-ws";
import { createStore } from "../app/store.ts";
import { authorization, moment, revision, signInWanted, token, url } from "./http.ts";

export interface Live {
  state: "connecting" | "live" | "offline" | "past";
  /** Updates a second, over the last seconds. */
  rate: number;
  /** When something was last heard, in milliseconds. */
  lastNews: number;
}

export const live = createStore<Live>({ state: "connecting", rate: 0, lastNews: Date.now() });

/** What an event says besides its entity. */
export interface Change<E> {
  change: "CREATED" | "UPDATED" | "DELETED";
  matches: boolean;
  entity: E;
  revision: number;
  time: string;
}

const WINDOW = 5_000;
const FIRST_WAIT = 500;
const LONGEST_WAIT = 15_000;

/** How long to wait before the next attempt, a little different for everybody. */
export function backOff(attempt: number, random = Math.random()): number {
  return Math.min(FIRST_WAIT * 2 ** attempt, LONGEST_WAIT) * (0.75 + random / 2);
}

const moments: number[] = [];

/** Notes that an update came. */
function note(at: number): void {
  moments.push(at);
  live.set({ ...live.get(), lastNews: at });
}

function measure(): void {
  const now = Date.now();
  while (moments[0] !== undefined && moments[0] < now - WINDOW) moments.shift();
  const rate = moments.length / (WINDOW / 1000);
  if (rate !== live.get().rate) live.set({ ...live.get(), rate });
}

let client: Client | undefined;
let socket: WebSocket | undefined;
const awaken = new Set<() => void>();

function become(state: Live["state"]): void {
  const before = live.get();
  if (before.state === state) return;
  const lastNews = state === "live" ? Date.now() : before.lastNews;
  live.set({ ...before, state, lastNews });
}

/** Waits, or less where the browser says that the network is back. */
function pause(duration: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      awaken.delete(done);
      resolve();
    };
    const timer = setTimeout(done, duration);
    awaken.add(done);
  });
}

function connect(): Client {
  setInterval(measure, 1_000);
  window.addEventListener("offline", () => {
    become("offline");
    // A socket without a network would be believed alive until its next ping is due.
    socket?.close(4499, "offline");
  });
  window.addEventListener("online", () => [...awaken].forEach((wake) => wake()));
  return createClient({
    url: () => url("graphql").replace(/^http/, "ws"),
    connectionParams: () => authorization(),
    keepAlive: 10_000,
    retryAttempts: Infinity,
    shouldRetry: (event) => !isDenial(event),
    retryWait: (attempt) => pause(backOff(attempt)),
    on: {
      opened: (opened) => (socket = opened as WebSocket),
      connected: () => become("live"),
      closed: (event) => {
        if (isDenial(event)) signInWanted.set(token() ? "refused" : "token");
        become("offline");
      },
      ping: (received) => {
        if (received) return;
        const asked = socket;
        const waiting = setTimeout(() => asked?.close(4408, "no pong"), 5_000);
        const answered = () => clearTimeout(waiting);
        asked?.addEventListener("message", answered, { once: true });
      },
    },
  });
}

/** 4401 and 4403 of the protocol: the token is missing, or is not enough. */
function isDenial(event: unknown): boolean {
  const code = (event as CloseEvent | undefined)?.code;
  return code === 4401 || code === 4403;
}

/** Follows a subscription until the answer is called; `began` is called each time it begins (again). */
export function subscribe<E>(
  query: string,
  variables: Record<string, unknown>,
  told: (change: Change<E>) => void,
  refused: (message: string) => void,
): () => void {
  // Of the past there are no news.
  if (moment() !== undefined) {
    become("past");
    return () => undefined;
  }
  client ??= connect();
  return client.subscribe<{ entityChanged: Change<E> }>(
    { query, variables },
    {
      next: ({ data, errors }) => {
        if (errors?.[0]) refused(errors[0].message);
        if (!data) return;
        note(Date.now());
        const change = data.entityChanged;
        if (change.revision > revision.get()) revision.set(change.revision);
        told(change);
      },
      error: (error) => refused(String(error)),
      complete: () => undefined,
    },
  );
}

/** Calls back whenever the connection is there again. */
export function onConnected(back: () => void): () => void {
  let before = live.get().state;
  return live.subscribe(() => {
    const { state } = live.get();
    if (state === "live" && before !== "live") back();
    before = state;
  });
}
