import { ask, Refusal } from "./http.ts";

interface Answer<T> {
  data?: T | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/** One question of GraphQL; an error in it is thrown. */
export async function graphql<T>(query: string, variables?: Record<string, unknown>, signal?: AbortSignal): Promise<T> {
  const answer = await ask("graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json" },
    body: JSON.stringify({ query, ...(variables ? { variables } : {}) }),
    ...(signal ? { signal } : {}),
  });
  const { data, errors } = (await answer.json()) as Answer<T>;
  const [error] = errors ?? [];
  if (error || !data) throw new Refusal("POST graphql", answer.status, error?.message ?? "no data", error?.extensions?.code);
  return data;
}
