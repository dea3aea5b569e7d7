/** The map for those who do not draw it: panels, the search, the drawer. */
import type { Geometry, Position } from "geojson";
import type { Map } from "maplibre-gl";
import { createStore } from "../app/store.ts";
import { changeView } from "../app/view.ts";
import type { Box } from "../data/twin.ts";

export const mapHandle = createStore<Map | undefined>(undefined);

/** Whether motion was asked not to be shown. */
export const isCalm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The smallest box around a geometry. */
export function boxOf(geometry: Geometry): Box {
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (at: Position) => {
    box[0] = Math.min(box[0], at[0]!);
    box[1] = Math.min(box[1], at[1]!);
    box[2] = Math.max(box[2], at[0]!);
    box[3] = Math.max(box[3], at[1]!);
  };
  const walk = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number") take(part as Position);
    else part.forEach(walk);
  };
  if (geometry.type === "GeometryCollection") {
    for (const part of geometry.geometries) {
      const [west, south, east, north] = boxOf(part);
      take([west, south]);
      take([east, north]);
    }
  } else walk(geometry.coordinates);
  return box;
}

/** What floats over the map takes room at its sides. */
export function padding(): { top: number; right: number; bottom: number; left: number } {
  const isPhone = matchMedia("(max-width: 720px)").matches;
  const open = (selector: string) => document.querySelector(selector) !== null;
  if (isPhone) return { top: 80, right: 30, bottom: open(".panel, .drawer") ? window.innerHeight * 0.55 : 90, left: 30 };
  const panel = document.querySelector(".panel")?.getBoundingClientRect().right ?? 92;
  return { top: 90, right: open(".drawer") ? 420 : 60, bottom: 60, left: panel + 18 };
}

/** Brings a box into sight. */
export function showBox(box: Box, maxZoom = 17): void {
  const map = mapHandle.get();
  if (!map || !box.every(Number.isFinite)) return;
  map.fitBounds([box[0], box[1], box[2], box[3]], { padding: padding(), maxZoom, animate: !isCalm(), duration: 900 });
}

/** Chooses an entity, and brings it into sight where it has a place. */
export function showEntity(id: string, geometry?: Geometry): void {
  changeView({ entity: id });
  if (geometry) requestAnimationFrame(() => showBox(boxOf(geometry)));
}
