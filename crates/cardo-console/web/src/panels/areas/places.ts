/** The entities that are areas: of which types there are some, and each with its name and geometry. */
import { useQuery } from "@tanstack/react-query";
import type { Feature, Geometry } from "geojson";
import { useLanguage, type Language } from "../../app/language.ts";
import { MOST_AREAS } from "../../data/figures.ts";
import { getJson } from "../../data/http.ts";
import { useCounts, useKinds, useTypes } from "../../data/twin.ts";
import { roleOf } from "../../map/roles.ts";
import { shortId } from "../../ui/format.ts";
import { sizeOf } from "./area.ts";

export interface Place {
  id: string;
  name: string;
  geometry: Geometry;
  /** In square metres. */
  size: number;
}

export interface Places {
  places: Place[];
  /** How many there are; more than are listed where they are very many. */
  total: number;
}

interface Items {
  numberMatched?: number;
  features: Feature[];
}

/** Types with polygons, districts first. */
export function useAreaTypes(): { names: string[] | undefined; error: unknown; retry: () => void } {
  const { data: types, error, refetch } = useTypes();
  const { data: kinds } = useKinds(types);
  const { data: counts } = useCounts(types);
  const rank = (name: string) => (roleOf(name) === "district" ? 0 : /(District|Zone|Area|Region|Cell)s?$/.test(name) ? 1 : 2);
  const found = kinds && types?.filter(({ name }) => /Polygon/.test(kinds[name] ?? ""));
  const sorted = found?.map(({ name }) => name).sort((a, b) => rank(a) - rank(b) || (counts?.[a] ?? 0) - (counts?.[b] ?? 0));
  return { names: types?.length === 0 ? [] : sorted, error, retry: () => void refetch() };
}

/** All areas of a type by name. */
export function usePlaces(type: string | undefined) {
  const language = useLanguage();
  return useQuery({
    queryKey: ["places", type, language],
    queryFn: async ({ signal }): Promise<Places> => {
      const path = `ogc/collections/${encodeURIComponent(type ?? "")}/items?limit=${MOST_AREAS}`;
      const { features, numberMatched } = await getJson<Items>(path, signal, "application/geo+json");
      const places = features.flatMap((feature) => placeOf(feature, language) ?? []);
      places.sort((a, b) => a.name.localeCompare(b.name, language, { numeric: true }));
      return { places, total: numberMatched ?? features.length };
    },
    enabled: type !== undefined,
    staleTime: 60_000,
  });
}

export function usePlace(type: string | undefined, id: string | undefined) {
  const language = useLanguage();
  return useQuery({
    queryKey: ["place", type, id, language],
    queryFn: async ({ signal }) => {
      const path = `ogc/collections/${encodeURIComponent(type ?? "")}/items/${encodeURIComponent(id ?? "")}`;
      return placeOf(await getJson<Feature>(path, signal, "application/geo+json"), language) ?? null;
    },
    enabled: type !== undefined && id !== undefined,
    staleTime: 60_000,
  });
}

function placeOf(feature: Feature, language: Language): Place | undefined {
  const size = feature.geometry && sizeOf(feature.geometry);
  if (!size) return undefined;
  const { properties } = feature;
  const texts = [`name__${language}`, "name", "alternateName", "title"].map((column) => properties?.[column] as unknown);
  const name = texts.find((text) => typeof text === "string" && text) as string | undefined;
  return { id: String(feature.id), name: name ?? shortId(String(feature.id).replace(/^urn:ngsi-ld:\w+:/, "")), geometry: feature.geometry, size };
}
