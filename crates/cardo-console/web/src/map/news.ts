/** News of what the view shows: one subscription, bounded by a box around the view. */
import type { Geometry } from "geojson";
import { onConnected, subscribe, type Change } from "../data/live.ts";
import type { Box } from "../data/twin.ts";
import type { Layer } from "./plan.ts";
import { grown, holds } from "./region.ts";
import { headingOf } from "./roles.ts";

/** Columns that the map draws with, of whatever type has them. */
const DRAWN = /^(name|name__[a-z]{2}|heading|bearing|course|class|roadClass|height|floorsAboveGround|speed|status)$/;

/** The columns of a layer that events bring. */
export function wanted(layer: Layer): string[] {
  const names = layer.type.columns.map((column) => column.name).filter((name) => DRAWN.test(name));
  const own = layer.classes?.column;
  return own && !names.includes(own) ? [...names, own] : names;
}

/** The question for changes of the types of these layers. */
export function question(layers: readonly Layer[]): string {
  const parts = layers.map((layer, at) => {
    const { name, geometry, columns } = layer.type;
    const time = `${geometry}__observedAt`;
    const observed = columns.some((column) => column.name === time) ? ` t${at}: ${time}` : "";
    const fields = wanted(layer).map((column, place) => ` f${at}_${place}: ${column}`);
    return `... on ${name} { g${at}: ${geometry}${observed}${fields.join("")} }`;
  });
  return `subscription Console($type: [String!], $filter: EntityFilter) {
  entityChanged(type: $type, filter: $filter) {
    change matches revision time
    entity { id __typename ${parts.join(" ")} }
  }
}`;
}

const ANYTHING = "subscription Console { entityChanged { change matches revision time entity { id __typename } } }";

/** What the map is told of an entity. */
export interface News {
  layer: Layer;
  id: string;
  /** Absent where the entity is gone, from the twin or from what is followed. */
  geometry: Geometry | undefined;
  properties: Record<string, unknown>;
  observedAt: string | undefined;
  heading: number | undefined;
}

type Entity = { id: string; __typename: string } & Record<string, unknown>;

export function newsOf(layers: readonly Layer[], { change, matches, entity }: Change<Entity>): News | undefined {
  const at = layers.findIndex((layer) => layer.type.name === entity.__typename);
  const layer = layers[at];
  if (!layer) return undefined;
  const properties: Record<string, unknown> = {};
  wanted(layer).forEach((column, place) => {
    const value = entity[`f${at}_${place}`];
    if (value !== null && value !== undefined) properties[column] = value;
  });
  const isGone = change === "DELETED" || !matches;
  const heading = properties[headingOf(layer.type) ?? ""];
  return {
    layer,
    id: entity.id,
    geometry: isGone ? undefined : ((entity[`g${at}`] as Geometry | null) ?? undefined),
    properties,
    observedAt: (entity[`t${at}`] as string | null) ?? undefined,
    heading: typeof heading === "number" ? heading : undefined,
  };
}

/** How much farther than the view one listens, so that moving the map a little asks nothing new. */
const MARGIN = 0.5;

export class Listener {
  private box: Box | undefined;
  private text = "";
  private stop: (() => void) | undefined;
  private readonly unhook: () => void;

  constructor(
    private readonly tell: (news: News) => void,
    /** Called when news may have been missed: after a new box, and after a connection that was lost. */
    private readonly missed: () => void,
    /** Called when something happens to a type that is not on the map yet. */
    private readonly unknown: () => void,
  ) {
    this.unhook = onConnected(() => this.missed());
  }

  /** Listens to what happens around a view. */
  listen(layers: readonly Layer[], seen: Box): void {
    const heard = layers.filter((layer) => layer.isVisible && layer.type.geometry);
    // Where nothing is on the map, whatever happens may be the first that is.
    const text = heard.length > 0 ? question(heard) : ANYTHING;
    const isHeard = this.box && holds(this.box, seen) && text === this.text;
    if (isHeard) return;
    const isFirst = !this.box;
    this.stop?.();
    this.text = text;
    this.box = grown(seen, MARGIN);
    const variables = heard.length > 0 ? { type: heard.map((layer) => layer.type.name), filter: { location: { bbox: this.box } } } : {};
    const told = (change: Change<Entity>) => {
      const news = newsOf(heard, change);
      if (news) this.tell(news);
      else this.unknown();
    };
    const refused = (message: string) => console.warn(`no news: ${message}`);
    this.stop = subscribe<Entity>(text, variables, told, refused);
    if (!isFirst) this.missed();
  }

  close(): void {
    this.stop?.();
    this.unhook();
  }
}
