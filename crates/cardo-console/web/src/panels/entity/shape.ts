/** How an entity is taken apart. */
import type { Geometry } from "geojson";
import { attributesOf, type Entity, type Instance } from "../../data/entity.ts";

/** What is said of an instance by attributes of its own. */
export function subAttributes(instance: Instance): [string, Instance][] {
  return Object.entries(instance).flatMap(([name, member]) => {
    // A value may be an object of any shape, so what it holds is no attribute.
    if (VALUES.includes(name)) return [];
    const subs = [member].flat().filter(isInstance);
    return subs.map((sub) => [name, sub] as [string, Instance]);
  });
}

const KIND = /^(Geo|Language|Json|Vocab|List)?Property$|^(List)?Relationship$/;

const VALUES = ["value", "object", "languageMap", "vocab", "json", "valueList", "objectList"];

const isInstance = (member: unknown): member is Instance =>
  typeof member === "object" && member !== null && "type" in member && typeof member.type === "string" && KIND.test(member.type) && hasValue(member);

const hasValue = (member: object) => VALUES.some((name) => name in member);

export function geometryOf(entity: Entity): Geometry | undefined {
  const candidates = [entity["location"], ...Object.values(entity)].flat() as (Instance | undefined)[];
  return candidates.find((instance) => instance?.type === "GeoProperty")?.value as Geometry | undefined;
}

/** Attributes whose values are numbers, with the unit of the first; what has a unit is a quantity, and comes first. */
export function numbersOf(entity: Entity): [string, string | undefined][] {
  const numbers = attributesOf(entity).flatMap(([name, [first]]) =>
    typeof first?.value === "number" ? [[name, first.unitCode] as [string, string | undefined]] : [],
  );
  return numbers.sort(([, a], [, b]) => Number(b !== undefined) - Number(a !== undefined));
}

/** Everything that is pointed to. */
export function targetsOf(entity: Entity): string[] {
  const of = (instance: Instance): string[] => [
    ...[instance.object ?? []].flat(),
    ...subAttributes(instance).flatMap(([, sub]) => of(sub)),
  ];
  return attributesOf(entity).flatMap(([, instances]) => instances.flatMap(of));
}
