/**
 * The area that is looked at, as one text of the address:
 *
 *     box:24.93,60.16,24.95,60.17      west, south, east, north
 *     polygon:24.93,60.16;24.95,…      corners
 *     circle:24.94,60.17,500           centre and radius in metres
 *     of:District:urn:…                an entity of a type with areas
 */
import type { Geometry, Polygon, Position } from "geojson";
import type { Box } from "../../data/twin.ts";

export type Area =
  | { kind: "box"; box: Box }
  | { kind: "polygon"; ring: Position[] }
  | { kind: "circle"; centre: [number, number]; radius: number }
  | { kind: "of"; type: string; id: string };

/** More corners than these make a link that nobody can send. */
const MOST_CORNERS = 400;
const EARTH = 6_371_008.8;

export function readArea(text: string | undefined): Area | undefined {
  const [, kind, rest] = /^(\w+):(.+)$/s.exec(text ?? "") ?? [];
  if (!kind || !rest) return undefined;
  if (kind === "of") {
    const at = rest.indexOf(":");
    return at > 0 ? { kind, type: rest.slice(0, at), id: rest.slice(at + 1) } : undefined;
  }
  const places = rest.split(";").map((place) => place.split(",").map(Number));
  if (!places.flat().every(Number.isFinite)) return undefined;
  const first = places[0]!;
  if (kind === "box" && first.length === 4) return boxArea(first as Box);
  if (kind === "circle" && first.length === 3) return circleArea([first[0]!, first[1]!], first[2]!);
  return kind === "polygon" ? polygonArea(places) : undefined;
}

const isPlace = ([lng, lat]: Position) => Math.abs(lng!) <= 180 && Math.abs(lat!) <= 90;

export function boxArea([west, south, east, north]: Box): Area | undefined {
  const isBox = [west, south, east, north].every(Number.isFinite) && west < east && south < north;
  return isBox && isPlace([west, south]) && isPlace([east, north]) ? { kind: "box", box: [west, south, east, north] } : undefined;
}

function circleArea(centre: [number, number], radius: number): Area | undefined {
  return isPlace(centre) && radius > 0 && radius <= 1_000_000 ? { kind: "circle", centre, radius } : undefined;
}

function polygonArea(places: Position[]): Area | undefined {
  const isRing = places.length >= 3 && places.length <= MOST_CORNERS && places.every((place) => place.length === 2 && isPlace(place));
  return isRing ? { kind: "polygon", ring: places } : undefined;
}

const short = (value: number, digits = 6) => String(Number(value.toFixed(digits)));

export function writeArea(area: Area): string {
  switch (area.kind) {
    case "box":
      return `box:${area.box.map((value) => short(value)).join(",")}`;
    case "polygon":
      return `polygon:${area.ring.map((place) => place.slice(0, 2).map((value) => short(value)).join(",")).join(";")}`;
    case "circle":
      return `circle:${area.centre.map((value) => short(value)).join(",")},${short(area.radius, 1)}`;
    case "of":
      return `of:${area.type}:${area.id}`;
  }
}

/** The polygon of an area that was drawn. */
export function polygonOf(area: Exclude<Area, { kind: "of" }>): Polygon {
  const ring = ringOf(area);
  return { type: "Polygon", coordinates: [[...ring, ring[0]!]] };
}

function ringOf(area: Exclude<Area, { kind: "of" }>): Position[] {
  if (area.kind === "polygon") return area.ring;
  if (area.kind === "circle") return circle(area.centre, area.radius);
  const [west, south, east, north] = area.box;
  return [[west, south], [east, south], [east, north], [west, north]];
}

/** Corners on a circle on the ground, against the clock. */
function circle([lng, lat]: [number, number], radius: number): Position[] {
  const [y, angle] = [(lat * Math.PI) / 180, radius / EARTH];
  return Array.from({ length: 72 }, (_, at) => {
    const bearing = (-at * Math.PI) / 36;
    const north = Math.asin(Math.sin(y) * Math.cos(angle) + Math.cos(y) * Math.sin(angle) * Math.cos(bearing));
    const east = Math.atan2(Math.sin(bearing) * Math.sin(angle) * Math.cos(y), Math.cos(angle) - Math.sin(y) * Math.sin(north));
    return [Number((lng + (east * 180) / Math.PI).toFixed(7)), Number(((north * 180) / Math.PI).toFixed(7))];
  });
}

/** How far two positions are apart on the ground, in metres. */
export function distance(a: Position, b: Position): number {
  const rad = (value: number) => (value * Math.PI) / 180;
  const [up, along] = [rad(b[1]! - a[1]!), rad(b[0]! - a[0]!)];
  const h = Math.sin(up / 2) ** 2 + Math.cos(rad(a[1]!)) * Math.cos(rad(b[1]!)) * Math.sin(along / 2) ** 2;
  return 2 * EARTH * Math.asin(Math.sqrt(h));
}

/** The size of a polygon on the ground, in square metres (on a sphere, after Chamberlain and Duquette). */
export function sizeOf(geometry: Geometry): number | undefined {
  if (geometry.type === "MultiPolygon") return geometry.coordinates.reduce((sum, rings) => sum + polygonSize(rings), 0);
  return geometry.type === "Polygon" ? polygonSize(geometry.coordinates) : undefined;
}

function polygonSize([outer, ...holes]: Position[][]): number {
  return holes.reduce((size, hole) => size - ringSize(hole), outer ? ringSize(outer) : 0);
}

function ringSize(ring: Position[]): number {
  const rad = Math.PI / 180;
  let sum = 0;
  for (let at = 0; at + 1 < ring.length; at += 1) {
    const [a, b] = [ring[at]!, ring[at + 1]!];
    sum += (b[0]! - a[0]!) * rad * (2 + Math.sin(a[1]! * rad) + Math.sin(b[1]! * rad));
  }
  return Math.abs((sum * EARTH * EARTH) / 2);
}
