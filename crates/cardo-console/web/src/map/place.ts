/** Where the map begins. */
import type { Map as MapLibre } from "maplibre-gl";
import type { Box } from "../data/twin.ts";
import { padding } from "./handle.ts";
import type { Layer } from "./plan.ts";
import { together } from "./region.ts";
import { isGround } from "./roles.ts";

const size = (box: Box) => Math.max(box[2] - box[0], box[3] - box[1]);

/** A town that fits the page close by is looked at from the side, so that its houses stand. */
const CLOSE = 13.5;
const NEARER = 0.85;
/** From here on houses have walls. */
const HOUSES = 15.1;
const TILTED = { pitch: 45, bearing: -18 };

/** Goes to where the map begins. */
export function goHome(map: MapLibre, layers: readonly Layer[], how: { animate: boolean }): void {
  const home = homeOf(layers);
  const camera = home && map.cameraForBounds([home[0], home[1], home[2], home[3]], { padding: padding(), maxZoom: 16 });
  if (!camera?.center || camera.zoom === undefined) return;
  const { center, zoom } = camera;
  const hasHouses = layers.some(({ role }) => role === "building");
  const isTilted = hasHouses && zoom >= CLOSE;
  map.easeTo({ center, padding: NO_PADDING, duration: 900, ...how, ...(isTilted ? { zoom: Math.max(zoom + NEARER, HOUSES), ...TILTED } : { zoom, pitch: 0, bearing: 0 }) });
}

const NO_PADDING = { top: 0, right: 0, bottom: 0, left: 0 };

/** The box of the city: that of its ground; without one, that of the layer of middling extent, since one station far away says little. */
export function homeOf(layers: readonly Layer[]): Box | undefined {
  const extents = layers.flatMap(({ role, type }) => (type.extent ? [{ role, box: type.extent }] : []));
  const ground = extents.filter(({ role }) => isGround(role)).map(({ box }) => box);
  if (ground.length > 0) return ground.reduce(together);
  const sorted = extents.map(({ box }) => box).sort((a, b) => size(a) - size(b));
  return sorted[Math.floor((sorted.length - 1) / 2)];
}
