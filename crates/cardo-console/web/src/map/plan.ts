/** What is to be drawn: a layer for every type with a place, and where its features come from. */
import type { View } from "../app/view.ts";
import type { TwinType } from "../data/twin.ts";
import { isGround, isMoving, isShown, roleOf, type Role } from "./roles.ts";

/** Classes of a number, for colour. */
export interface Classes {
  column: string;
  breaks: number[];
  unit: string | undefined;
}

export interface Layer {
  type: TwinType;
  role: Role;
  isVisible: boolean;
  /** Features by view as GeoJSON, by tile, or kept one by one because they move. */
  from: "items" | "tiles" | "moving";
  /** How many entities there are. */
  count: number;
  /** Whether points close to one another are drawn as one. */
  isClustered: boolean;
  classes: Classes | undefined;
}

/** What was seen of the types that nothing said before. */
export interface Seen {
  /** The kind of geometry of the first entity of a type. */
  kinds: Readonly<Record<string, string | undefined>>;
  moving: ReadonlySet<string>;
  /** Types with geometries of several kinds. */
  mixed: ReadonlySet<string>;
}

/** Where there are more, even what moves comes by tile first. */
const MOST_MOVING = 5_000;
/** Where there are more, points are joined at small scale. */
const CLUSTERED = 120;
/** A layer with more features comes by tile where the server has tiles. */
const MOST_ITEMS = 1_500;

export function planLayers(
  types: readonly TwinType[],
  counts: Readonly<Record<string, number>>,
  view: Pick<View, "show" | "hide">,
  classes: Readonly<Record<string, Classes>>,
  hasTiles: boolean,
  seen: Seen,
): Layer[] {
  return types
    .filter((type) => type.extent)
    .map((type) => {
      const role = roleOf(type.name);
      const count = counts[type.name];
      const isVisible = view.show.includes(type.name) || (isShown(type, role, count) && !view.hide.includes(type.name));
      const isLively = (isMoving(type) || seen.moving.has(type.name)) && (count ?? 0) <= MOST_MOVING;
      const isLarge = isGround(role) || (count ?? 0) > MOST_ITEMS;
      const from = isLively ? "moving" : hasTiles && isLarge ? "tiles" : "items";
      // A source that joins points has nothing else.
      const arePoints = seen.kinds[type.name] === "Point" && !seen.mixed.has(type.name);
      const isClustered = role === "data" && from === "items" && arePoints && (count ?? 0) > CLUSTERED;
      return { type, role, isVisible, from, isClustered, count: count ?? 0, classes: classes[type.name] };
    });
}

/** The view with a layer switched on or off, without saying what is so by default. */
export function switched(view: Pick<View, "show" | "hide">, layer: Layer, byDefault: boolean): Pick<View, "show" | "hide"> {
  const name = layer.type.name;
  const show = view.show.filter((other) => other !== name);
  const hide = view.hide.filter((other) => other !== name);
  const next = !layer.isVisible;
  if (next !== byDefault) (next ? show : hide).push(name);
  return { show, hide };
}
