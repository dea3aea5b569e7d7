/** What an entity points to, and what points to it. */
import { useQuery } from "@tanstack/react-query";
import { graphql } from "../../data/graphql.ts";
import { getJson } from "../../data/http.ts";
import { nameOf, type Entity } from "../../data/entity.ts";
import { currentLanguage } from "../../app/language.ts";

/** At most so many are named, or listed of each kind. */
const MOST = 40;
export const LISTED = 6;

/** The names of entities, as far as they have some. */
export function useNames(ids: readonly string[]) {
  const asked = [...new Set(ids)].sort().slice(0, MOST);
  return useQuery({
    queryKey: ["names of", asked],
    queryFn: async ({ signal }): Promise<Readonly<Record<string, string>>> => {
      const members = new URLSearchParams({ id: asked.join(","), pick: "id,type,name,title,label", limit: String(MOST), local: "true" });
      const found = await getJson<Entity[]>(`ngsi-ld/v1/entities?${members}`, signal);
      const names = found.map((entity) => [entity.id, nameOf(entity, currentLanguage())] as const);
      return Object.fromEntries(names.filter((pair): pair is [string, string] => pair[1] !== undefined));
    },
    enabled: asked.length > 0,
    staleTime: 60_000,
    placeholderData: (before) => before,
  });
}

export interface Pointing {
  /** The field of GraphQL, such as `vehicleByRefStop`. */
  field: string;
  /** The type that points, and its attribute. */
  type: string;
  attribute: string;
  total: number;
  ids: string[];
}

interface Fields {
  __type: { fields: { name: string; type: { name: string | null } }[] } | null;
}

interface Found {
  entity: Record<string, { totalCount: number; nodes: { id: string }[] }> | null;
}

/** Who points to an entity, by the inverse fields of its type. */
export function usePointing(id: string, type: string | undefined) {
  return useQuery({
    queryKey: ["entity", id, "pointing", type],
    queryFn: async ({ signal }): Promise<Pointing[]> => {
      const { __type } = await graphql<Fields>("query Inverse($type: String!) { __type(name: $type) { fields { name type { name } } } }", { type }, signal);
      const inverse = (__type?.fields ?? []).filter((field) => field.type.name?.endsWith("Connection"));
      if (inverse.length === 0) return [];
      const asked = inverse.map(({ name }) => `${name}(first: ${LISTED}) { totalCount nodes { id } }`).join(" ");
      const { entity } = await graphql<Found>(`query Pointing($id: ID!) { entity(id: $id) { ... on ${type} { ${asked} } } }`, { id }, signal);
      return inverse.flatMap(({ name, type: { name: connection } }) => {
        const found = entity?.[name];
        const from = connection!.replace(/Connection$/, "");
        // Named after both: `vehicleByRefStop`.
        const attribute = name.slice(from.length + "By".length);
        if (!found || found.totalCount === 0) return [];
        return [{ field: name, type: from, attribute, total: found.totalCount, ids: found.nodes.map((node) => node.id) }];
      });
    },
    enabled: type !== undefined,
    placeholderData: (before) => before,
  });
}
