/** Finds entities by name or id, in any type. */
import type { Geometry } from "geojson";
import { currentLanguage } from "../app/language.ts";
import { getJson } from "./http.ts";
import { inLanguage } from "./entity.ts";
import type { TwinType } from "./twin.ts";

export interface Hit {
  id: string;
  /** The type's short name. */
  type: string;
  name: string | undefined;
  geometry: Geometry | undefined;
}

type Text = string | { languageMap: Record<string, string | string[]> };

interface Found {
  id: string;
  type: string | string[];
  name?: Text;
  alternateName?: Text;
  location?: Geometry;
}

const MOST = 30;
const SHOWN = 8;

/** The text as a pattern that it alone meets, whatever its case. */
export function pattern(text: string): string {
  return `(?i)${text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/"/g, ".")}`;
}

export async function find(text: string, types: TwinType[], signal: AbortSignal): Promise<Hit[]> {
  const wanted = pattern(text);
  const questions: Record<string, string>[] = [
    { q: `name~="${wanted}"|alternateName~="${wanted}"` },
    { idPattern: wanted, local: "true" },
  ];
  const answers = await Promise.all(
    questions.map((question) => {
      const members = { ...question, limit: String(MOST), options: "keyValues", pick: "id,type,name,alternateName,location" };
      return getJson<Found[]>(`ngsi-ld/v1/entities?${new URLSearchParams(members)}`, signal);
    }),
  );
  const found = new Map(answers.flat().map((entity) => [entity.id, entity]));
  const hits = [...found.values()].map((entity) => hitOf(entity, types));
  return hits.sort((a, b) => rank(a, text) - rank(b, text)).slice(0, SHOWN);
}

function hitOf(entity: Found, types: TwinType[]): Hit {
  const given = Array.isArray(entity.type) ? entity.type[0]! : entity.type;
  const type = types.find((type) => type.type === given || type.name === given)?.name ?? given;
  const name = textOf(entity.name) ?? textOf(entity.alternateName);
  return { id: entity.id, type, name, geometry: entity.location };
}

function textOf(text: Text | undefined): string | undefined {
  if (text === undefined || typeof text === "string") return text;
  return text.languageMap ? inLanguage(text.languageMap, currentLanguage()) : undefined;
}

/** The whole name comes first, then names that begin so, then others. */
function rank(hit: Hit, text: string): number {
  const wanted = text.toLowerCase();
  const name = hit.name?.toLowerCase() ?? "";
  if (hit.id.toLowerCase() === wanted || name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  if (name.includes(` ${wanted}`)) return 2;
  return hit.name ? 3 : 4;
}
