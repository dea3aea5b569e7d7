/** What a type is for the map: a part of the ground everything stands on, or a layer of its own. */
import type { TwinType } from "../data/twin.ts";

export type Role = "landuse" | "green" | "water" | "rail" | "road" | "building" | "tree" | "district" | "data";

/** Types of the Smart Data Models and of common imports, by the way they are called in any city. */
const ROLES: readonly [RegExp, Role][] = [
  [/^(LandUse|LandCover)/i, "landuse"],
  [/^(Garden|Park|Forest|UrbanGreen|Green(space|Area)|Vegetation)s?$/i, "green"],
  [/^(Water(Body|Way)?|River|Lake|Sea|Stream)s?$/i, "water"],
  [/^(Rail(way)?|Tram)(Segment|Track|Line)?s?$/i, "rail"],
  [/^(Road|Street)(Segment)?s?$|^Way$/i, "road"],
  [/^Building(Part)?s?$/i, "building"],
  [/^Trees?$/i, "tree"],
  [/^((Major|Sub)?District|Neighbou?rhood|AdministrativeArea|Municipality|Ward|Quarter|PostalArea)s?$/i, "district"],
];

export const roleOf = (type: string): Role => ROLES.find(([names]) => names.test(type))?.[1] ?? "data";

/** Whether a type belongs to the ground. */
export const isGround = (role: Role): boolean => role !== "data" && role !== "district";

/** From which zoom on a role is drawn at all; below it would be a haystack. */
export const FROM_ZOOM: Record<Role, number> = {
  landuse: 10, green: 10, water: 8, rail: 11, road: 11, building: 13, tree: 15, district: 9, data: 0,
};

const MOVES = /^(heading|bearing|course|direction|speed)$/;

/** Whether the things of a type are made to move. */
export const isMoving = (type: TwinType): boolean => type.columns.some((column) => MOVES.test(column.name));

/** The column that says where a thing heads, in degrees. */
export const headingOf = (type: TwinType): string | undefined =>
  type.columns.find((column) => /^(heading|bearing|course)$/.test(column.name))?.name;

/** Above this many, points of a type wait until they are asked for. */
const CALM = 600;

/** Whether a layer is shown before anybody chose. */
export function isShown(type: TwinType, role: Role, count: number | undefined): boolean {
  if (!type.extent) return false;
  if (role !== "data") return true;
  // What is alive is why one looks; areas would lie over everything else.
  if (isMoving(type)) return true;
  return (count ?? Infinity) <= CALM && !/(Cell|Plan|Zone|Area|Region)s?$/.test(type.name);
}
