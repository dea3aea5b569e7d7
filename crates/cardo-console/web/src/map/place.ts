/** Where the map begins. */
import type { Box } from "../data/twin.ts";
import type { Layer } from "./plan.ts";
import { together } from "./region.ts";
import { isGround } from "./roles.ts";

const size = (box: Box) => Math.max(box[2] - box[0], box[3] - box[1]);

/** The box of the city: that of its ground; without one, that of the layer of middling extent, since one station far away says little. */
export function homeOf(layers: readonly Layer[]): Box | undefined {
  const extents = layers.flatMap(({ role, type }) => (type.extent ? [{ role, box: type.extent }] : []));
  const ground = extents.filter(({ role }) => isGround(role)).map(({ box }) => box);
  if (ground.length > 0) return ground.reduce(together);
  const sorted = extents.map(({ box }) => box).sort((a, b) => size(a) - size(b));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
