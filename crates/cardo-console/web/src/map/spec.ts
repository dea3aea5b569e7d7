/** Names that the parts of the map's style share. */
import type { LayerSpecification } from "maplibre-gl";
import type { Layer } from "./plan.ts";
import { isGround } from "./roles.ts";

/** There is no glyph server: labels are drawn with the font of the page. */
export const FONT = ["Inter Variable"];

/** A layer with its place in the stack: land below 30, lines to 40, buildings to 50, data to 79, names to 90, what moves above. */
export interface Placed {
  order: number;
  layer: LayerSpecification;
}

/** The source of everything that moves or changed since it was loaded. */
export const MOVING = "moving";
export const CHOSEN = "chosen";

/** The area that a question is about. */
export const ASKED_AREA = "area of the question";

/** Points at which the areas of a type are named. */
export const namesId = (type: string) => `names of ${type}`;

export const sourceId = (type: string) => `of ${type}`;

/** The parts of the ground come together, so that a place is one tile and not one for each of them. */
export const GROUND = "ground";

export function sourceOf({ type, from, role }: Layer): { source: string; "source-layer"?: string } {
  if (from === "moving") return { source: MOVING };
  if (from === "items") return { source: sourceId(type.name) };
  return { source: isGround(role) ? GROUND : sourceId(type.name), "source-layer": type.name };
}

/** What panels draw over the map belongs to no type. */
const OVER = "over ";
export const overId = (name: string) => `${OVER}${name}`;
export const isOver = (source: string) => source.startsWith(OVER);
