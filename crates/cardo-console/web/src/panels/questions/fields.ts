/** What can be asked of a type, as the schema of GraphQL tells it. */
import { useQuery } from "@tanstack/react-query";
import { graphql } from "../../data/graphql.ts";
import type { TwinType } from "../../data/twin.ts";
import { pathOf, termOf } from "./names.ts";
import type { Kind } from "./question.ts";
import type { Known } from "./say.ts";

interface Schema {
  type: { fields: { name: string }[] } | null;
  filter: { inputFields: { name: string; type: { name: string | null } }[] } | null;
  order: { enumValues: { name: string }[] } | null;
}

const SCHEMA = `query Fields($type: String!, $filter: String!, $order: String!) {
  type: __type(name: $type) { fields { name } }
  filter: __type(name: $filter) { inputFields { name type { name } } }
  order: __type(name: $order) { enumValues { name } }
}`;

const KINDS: Readonly<Record<string, Kind>> = {
  FloatFilter: "number", StringFilter: "text", BooleanFilter: "boolean", DateTimeFilter: "moment", IDFilter: "id", JSONFilter: "json",
};

/** Members that every entity has; they are no columns of OGC API. */
const MEMBERS = new Set(["id", "scope", "createdAt", "modifiedAt", "expiresAt"]);

/** A type with its columns, and what each answer can show of them. */
export interface Askable extends Known {
  /** What selects a column in GraphQL. */
  selects: Readonly<Record<string, string>>;
}

async function askable(twinType: TwinType, signal: AbortSignal): Promise<Askable> {
  const { name } = twinType;
  const variables = { type: name, filter: `${name}Filter`, order: `${name}Field` };
  const { type, filter, order } = await graphql<Schema>(SCHEMA, variables, signal);
  const shown = new Set(type?.fields.map((field) => field.name));
  const sorted = new Set(order?.enumValues.map((value) => value.name));
  const attributes = new Map(twinType.columns.map((column) => [column.name, column.attribute]));
  const fields = (filter?.inputFields ?? []).flatMap((input) => {
    const kind = KINDS[input.type.name ?? ""];
    const attribute = attributes.get(input.name);
    if (!kind || !attribute || MEMBERS.has(input.name)) return [];
    return [{ name: input.name, kind, path: pathOf(input.name, attribute), isSortable: sorted.has(input.name) }];
  });
  const selects = fields.flatMap(({ name }) => (shown.has(`${name}__ids`) ? [[name, `${name}__ids`]] : shown.has(name) ? [[name, name]] : []));
  const place = twinType.columns.find((column) => column.name === twinType.geometry);
  return {
    type: termOf(twinType.type) ?? twinType.type,
    collection: name,
    list: `${name.charAt(0).toLowerCase()}${name.slice(1)}List`,
    geometry: place && { column: place.name, path: pathOf(place.name, place.attribute) },
    fields,
    selects: Object.fromEntries(selects) as Record<string, string>,
  };
}

export const useAskable = (type: TwinType | undefined) =>
  useQuery({
    queryKey: ["askable", type?.name, type?.columns.length, type?.geometry],
    queryFn: ({ signal }) => askable(type!, signal),
    enabled: type !== undefined,
    staleTime: 60_000,
  });
