/** Boxes of the map: what is seen, what is loaded. */
import type { Box } from "../data/twin.ts";

/** A box that is larger by a part of its size on each side. */
export function grown([west, south, east, north]: Box, part: number): Box {
  const [x, y] = [(east - west) * part, (north - south) * part];
  return [Math.max(west - x, -180), Math.max(south - y, -90), Math.min(east + x, 180), Math.min(north + y, 90)];
}

export const holds = (outer: Box, inner: Box): boolean =>
  outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];

export const meets = (a: Box, b: Box): boolean => a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];

const area = (box: Box): number => (box[2] - box[0]) * (box[3] - box[1]);

export const together = (a: Box, b: Box): Box =>
  [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[2], b[2]), Math.max(a[3], b[3])];

/** What was asked for is still enough: it holds what is seen, and where it was cut off, not far more than that. */
export function isEnough(loaded: { box: Box; isWhole: boolean } | undefined, seen: Box): boolean {
  if (!loaded || !holds(loaded.box, seen)) return false;
  return loaded.isWhole || area(loaded.box) <= 4.5 * area(seen);
}
