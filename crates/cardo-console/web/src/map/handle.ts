/** The map for those who do not draw it: panels, the search, the drawer. */
import type { Geometry, Position } from "geojson";
import type { Map } from "maplibre-gl";
import { createStore } from "../app/store.ts";
import { changeView } from "../app/view.ts";
import type { Box } from "../data/twin.ts";

export const mapHandle = createStore<Map | undefined>(undefined);

/** Whether clicks on the map are for something that is being drawn, and choose nothing. */
export const mapIsBusy = createStore(false);

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

/** The box that is seen of the map beside what floats over it. */
export function seenBox(): Box | undefined {
  const map = mapHandle.get();
  if (!map) return undefined;
  const { clientWidth: width, clientHeight: height } = map.getCanvas();
  const over = [...document.querySelectorAll(".panel, .drawer")].map((part) => part.getBoundingClientRect());
  const isPhone = over.some((part) => part.left <= 0);
  const left = isPhone ? 0 : Math.max(0, ...over.filter((part) => part.left < width / 2).map((part) => part.right));
  const right = isPhone ? width : Math.min(width, ...over.filter((part) => part.left >= width / 2).map((part) => part.left));
  const bottom = isPhone ? Math.min(height, ...over.map((part) => part.top)) : height;
  const corners = ([[left, 0], [right, 0], [right, bottom], [left, bottom]] as const).map(([x, y]) => map.unproject([x, y]));
  return boxOf({ type: "MultiPoint", coordinates: corners.map(({ lng, lat }) => [lng, lat]) });
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
