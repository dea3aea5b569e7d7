/** Requests to the server that sent the page, at addresses relative to it. */
import { createStore } from "../app/store.ts";

/** Where the page is served, with a slash at its end. */
export const base = (): string => new URL(".", document.baseURI).href;

const AT = /\/at\/([^/]+)\/$/;

/** The moment that is looked at, where the page stands below that of a past twin. */
export function momentOf(address: string): string | undefined {
  const text = AT.exec(address)?.[1];
  return text === undefined ? undefined : decodeURIComponent(text);
}

export const moment = (): string | undefined => momentOf(base());

/** Where the page of the twin as it is stands. */
export const homeOf = (address: string): string => address.replace(AT, "/");

/** Where the page of a moment stands, or that of now. */
export const pageAt = (time: string | undefined): string => homeOf(base()) + (time ? `at/${time}/` : "");

/** Histories are those of the twin as it is, whatever moment is looked at. */
const isHistory = (path: string) => path.startsWith("ngsi-ld/v1/temporal/");

export function url(path: string): string {
  const below = path.replace(/^\//, "");
  return new URL(below, isHistory(below) ? homeOf(base()) : base()).href;
}

const tokenKey = () => `cardo.token ${homeOf(base())}`;

export const token = (): string | null => sessionStorage.getItem(tokenKey());

/** Whether the server wants to know who asks. */
export const signInWanted = createStore<"no" | "token" | "refused">("no");

export function signIn(text: string): void {
  sessionStorage.setItem(tokenKey(), text.trim().replace(/^bearer\s+/i, ""));
  signInWanted.set("no");
}

export function signOut(): void {
  sessionStorage.removeItem(tokenKey());
}

export function authorization(): Record<string, string> {
  const known = token();
  return known ? { Authorization: `Bearer ${known}` } : {};
}

/** A request that was answered with an error, or not at all. */
export class Refusal extends Error {
  override name = "Refusal";
  constructor(
    /** What was asked. */
    readonly request: string,
    /** The status; 0 where no answer came. */
    readonly status: number,
    message: string,
    /** The code of an error of GraphQL. */
    readonly code?: string,
  ) {
    super(message);
  }
}

/** The last revision of the twin that any answer told. */
export const revision = createStore(0);

function noteRevision(answer: Response): void {
  const told = Number(answer.headers.get("Cardo-Revision"));
  if (told > revision.get()) revision.set(told);
}

/** Asks, and throws a `Refusal` where the answer is none. */
export async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const request = `${init.method ?? "GET"} ${path}`;
  let answer: Response;
  try {
    answer = await fetch(url(path), { ...init, headers: { ...authorization(), ...init.headers } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new Refusal(request, 0, "no answer");
  }
  noteRevision(answer);
  if (answer.ok) return answer;
  if (answer.status === 401) signInWanted.set(token() ? "refused" : "token");
  throw new Refusal(request, answer.status, await reason(answer));
}

/** What a problem document (RFC 9457) says of itself. */
async function reason(answer: Response): Promise<string> {
  const text = await answer.text().catch(() => "");
  try {
    const problem: unknown = JSON.parse(text);
    if (typeof problem === "object" && problem !== null) {
      const { detail, title } = problem as { detail?: unknown; title?: unknown };
      if (typeof detail === "string") return detail;
      if (typeof title === "string") return title;
    }
  } catch {
    // It was no JSON.
  }
  return text.slice(0, 200) || answer.statusText;
}

export async function getJson<T>(path: string, signal?: AbortSignal, accept = "application/json"): Promise<T> {
  const answer = await ask(path, { headers: { Accept: accept }, ...(signal ? { signal } : {}) });
  return (await answer.json()) as T;
}
