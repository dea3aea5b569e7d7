/** What the twin holds: its types with their columns, and which of them have geometries. */
import { useQuery } from "@tanstack/react-query";
import { getJson } from "./http.ts";

export interface Column {
  name: string;
  /** The attribute's full name. */
  attribute: string;
}

export type Box = [number, number, number, number];

/** A type of entities: a table, and where it has geometries a layer of the map. */
export interface TwinType {
  /** Its short name, which is also the id of its collection. */
  name: string;
  /** Its full name. */
  type: string;
  columns: Column[];
  /** The column that is the geometry of its features, if it has any. */
  geometry: string | undefined;
  /** Where its geometries lie, if any do. */
  extent: Box | undefined;
  /** First and last observation, where there are any. */
  interval: [string | null, string | null] | undefined;
}

export interface Index {
  title: string;
  version: string;
  notice?: string;
  faces: { name: string; href: string; standard: string; questions: { asks: string; href: string }[] }[];
}

interface Names {
  types: { name: string; type: string; columns: Column[] }[];
}

interface Collections {
  collections: {
    id: string;
    extent?: { spatial?: { bbox: number[][] }; temporal?: { interval: [string | null, string | null][] } };
  }[];
}

const LOCATION = "https://uri.etsi.org/ngsi-ld/location";

interface Schema {
  properties: Record<string, { title?: string; "x-ogc-role"?: string }>;
}

/** `location`, else what the schema of the collection says. */
async function geometryOf(name: string, columns: Column[], signal: AbortSignal): Promise<string | undefined> {
  const location = columns.find((column) => column.attribute === LOCATION && !column.name.includes("__"));
  if (location) return location.name;
  const schema = await getJson<Schema>(`ogc/collections/${encodeURIComponent(name)}/schema`, signal, "application/schema+json");
  return Object.values(schema.properties).find((property) => property["x-ogc-role"] === "primary-geometry")?.title;
}

async function types(signal: AbortSignal): Promise<TwinType[]> {
  const [names, { collections }] = await Promise.all([
    getJson<Names>("names", signal),
    getJson<Collections>("ogc/collections", signal),
  ]);
  const extents = new Map(collections.map((collection) => [collection.id, collection.extent]));
  const typeOf = async ({ name, type, columns }: Names["types"][number]): Promise<TwinType> => {
    const extent = extents.get(name);
    const place = box(extent?.spatial?.bbox[0]);
    const geometry = place && (await geometryOf(name, columns, signal));
    return { name, type, columns, geometry, extent: place, interval: extent?.temporal?.interval[0] };
  };
  return Promise.all(names.types.map(typeOf));
}

function box(numbers: number[] | undefined): Box | undefined {
  if (numbers?.length === 4) return numbers as Box;
  if (numbers?.length === 6) return [numbers[0]!, numbers[1]!, numbers[3]!, numbers[4]!];
  return undefined;
}

/** The types of the twin; new ones show up within half a minute. */
export const useTypes = () =>
  useQuery({ queryKey: ["types"], queryFn: ({ signal }) => types(signal), refetchInterval: 30_000 });

/** What the server says of itself. */
export const useIndex = () =>
  useQuery({ queryKey: ["index"], queryFn: ({ signal }) => getJson<Index>("", signal), staleTime: Infinity });

interface Sizes {
  counts: Record<string, number>;
  /** The kind of geometry that the first entity of a type has. */
  kinds: Record<string, string | undefined>;
}

interface First {
  numberMatched?: number;
  features: { geometry: { type: string } | null }[];
}

async function sizes(names: string[], signal: AbortSignal): Promise<Sizes> {
  const first = async (name: string) => {
    const path = `ogc/collections/${encodeURIComponent(name)}/items?limit=1`;
    return [name, await getJson<First>(path, signal, "application/geo+json")] as const;
  };
  const answers = await Promise.all(names.map(first));
  return {
    counts: Object.fromEntries(answers.map(([name, { numberMatched = 0 }]) => [name, numberMatched])),
    kinds: Object.fromEntries(answers.map(([name, { features }]) => [name, features[0]?.geometry?.type])),
  };
}

function useSizes<T>(types: TwinType[] | undefined, select: (sizes: Sizes) => T) {
  const names = types?.map((type) => type.name) ?? [];
  return useQuery({
    queryKey: ["sizes", names],
    queryFn: ({ signal }) => sizes(names, signal),
    enabled: names.length > 0,
    refetchInterval: 60_000,
    placeholderData: (before) => before,
    select,
  });
}

const countsOf = (sizes: Sizes) => sizes.counts;
const kindsOf = (sizes: Sizes) => sizes.kinds;

/** How many entities each type has. */
export const useCounts = (types: TwinType[] | undefined) => useSizes(types, countsOf);

/** Which kind of geometry each type has. */
export const useKinds = (types: TwinType[] | undefined) => useSizes(types, kindsOf);

const TILES = "http://www.opengis.net/def/rel/ogc/1.0/tilesets-vector";

/** Whether the server makes tiles. */
export const useHasTiles = () =>
  useQuery({
    queryKey: ["landing"],
    queryFn: async ({ signal }) => {
      const { links } = await getJson<{ links: { rel: string }[] }>("ogc", signal);
      return links.some(({ rel }) => rel === TILES);
    },
    staleTime: Infinity,
  });
