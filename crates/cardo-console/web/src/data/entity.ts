/** One entity, as NGSI-LD tells it. */
import { useQuery } from "@tanstack/react-query";
import { getJson } from "./http.ts";

export interface Instance {
  type: string;
  value?: unknown;
  object?: string | string[];
  languageMap?: Record<string, string | string[]>;
  vocab?: string | string[];
  json?: unknown;
  unitCode?: string;
  observedAt?: string;
  datasetId?: string;
  createdAt?: string;
  modifiedAt?: string;
  [member: string]: unknown;
}

export interface Entity {
  id: string;
  type: string | string[];
  createdAt?: string;
  modifiedAt?: string;
  [attribute: string]: unknown;
}

export const entityPath = (id: string) => `ngsi-ld/v1/entities/${encodeURIComponent(id)}`;

export const useEntity = (id: string | undefined) =>
  useQuery({
    queryKey: ["entity", id],
    queryFn: ({ signal }) => getJson<Entity>(`${entityPath(id ?? "")}?options=sysAttrs`, signal),
    enabled: id !== undefined,
    // What lives changes while one looks at it.
    refetchInterval: 10_000,
    placeholderData: (before) => (before?.id === id ? before : undefined),
  });

/** Members of an entity that are no attributes. */
const MEMBERS = new Set(["id", "type", "scope", "@context", "createdAt", "modifiedAt", "expiresAt", "deletedAt"]);

/** The attributes with their instances, in the order in which they came. */
export function attributesOf(entity: Entity): [string, Instance[]][] {
  return Object.entries(entity)
    .filter(([name]) => !MEMBERS.has(name))
    .map(([name, value]) => [name, (Array.isArray(value) ? value : [value]) as Instance[]]);
}

/** A text in the reader's language, else without one, else the first there is. */
export function inLanguage(map: Record<string, string | string[]>, wanted: string): string {
  const text = map[wanted] ?? map["@none"] ?? map["en"] ?? Object.values(map)[0] ?? "";
  return Array.isArray(text) ? text.join(", ") : text;
}

/** What an entity is called, where it has a name. */
export function nameOf(entity: Entity, language: string): string | undefined {
  for (const attribute of ["name", "title", "label"]) {
    const found = entity[attribute];
    const instance = (Array.isArray(found) ? found[0] : found) as Instance | undefined;
    if (!instance || typeof instance !== "object") continue;
    if (instance.languageMap) return inLanguage(instance.languageMap, language);
    if (typeof instance.value === "string") return instance.value;
  }
  return undefined;
}
