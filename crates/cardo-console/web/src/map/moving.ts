/** Things that move: each glides from where it was to where it is in the time between two messages. */
import type { Feature, FeatureCollection, Point, Position } from "geojson";

export interface Thing {
  id: string;
  /** What is drawn of it; positions are those of its last message. */
  feature: Feature;
  from: Position | undefined;
  to: Position | undefined;
  /** When the last message came, and how long the way to its position takes. */
  since: number;
  lasts: number;
  heading: number | undefined;
  observedAt: number | undefined;
}

const SHORTEST = 200;
const LONGEST = 12_000;
/** A thing that jumps farther was not seen on its way. */
const FARTHEST = 1_500;

/** Metres, near enough for what is close. */
export function metres(a: Position, b: Position): number {
  const scale = Math.cos((((a[1]! + b[1]!) / 2) * Math.PI) / 180);
  return Math.hypot((b[0]! - a[0]!) * scale, b[1]! - a[1]!) * 111_195;
}

/** Degrees from north in which `b` lies from `a`. */
export function bearing(a: Position, b: Position): number {
  const scale = Math.cos((((a[1]! + b[1]!) / 2) * Math.PI) / 180);
  return ((Math.atan2((b[0]! - a[0]!) * scale, b[1]! - a[1]!) * 180) / Math.PI + 360) % 360;
}

/** Where a thing is shown at a moment. */
export function positionAt(thing: Thing, now: number): Position | undefined {
  const { from, to, since, lasts } = thing;
  if (!to || !from || now >= since + lasts) return to;
  const part = Math.max(0, (now - since) / lasts);
  return [from[0]! + (to[0]! - from[0]!) * part, from[1]! + (to[1]! - from[1]!) * part];
}

/** How clearly a thing is shown, by the age of what is known of it, in seconds. */
export function fade(age: number): number {
  if (age <= 60) return 1;
  if (age >= 900) return 0.35;
  return 1 - (0.65 * (age - 60)) / 840;
}

/** All things that move, and what is to be drawn of them. */
export class Moving {
  private readonly things = new Map<string, Thing>();

  /** Takes a message of a thing. `glides` is false where it is to be there at once. */
  take(feature: Feature, heading: number | undefined, observedAt: string | undefined, now: number, glides: boolean): void {
    const id = String(feature.id);
    const before = this.things.get(id);
    const to = feature.geometry?.type === "Point" ? (feature.geometry as Point).coordinates : undefined;
    const at = before && positionAt(before, now);
    const isFar = !at || !to || metres(at, to) > FARTHEST;
    const from = glides && !isFar ? at : to;
    const lasts = before ? Math.min(Math.max(now - before.since, SHORTEST), LONGEST) : SHORTEST;
    const travelled = before?.to && to && metres(before.to, to) > 2 ? bearing(before.to, to) : before?.heading;
    this.things.set(id, {
      id, feature, from, to, since: now, lasts,
      heading: heading ?? travelled,
      observedAt: observedAt ? Date.parse(observedAt) : before?.observedAt,
    });
  }

  remove(id: string): boolean {
    return this.things.delete(id);
  }

  get(id: string): Thing | undefined {
    return this.things.get(id);
  }

  /** Forgets the things of which this is true. */
  forget(is: (thing: Thing) => boolean): void {
    for (const [id, thing] of this.things) if (is(thing)) this.things.delete(id);
  }

  isInMotion(now: number): boolean {
    for (const { from, to, since, lasts } of this.things.values()) if (from !== to && now < since + lasts) return true;
    return false;
  }

  /** What is to be drawn at a moment; `clock` is the time of day in milliseconds. */
  drawn(now: number, clock: number): FeatureCollection {
    const features = [...this.things.values()].map((thing): Feature => {
      const at = positionAt(thing, now);
      const geometry = at ? { type: "Point" as const, coordinates: at } : thing.feature.geometry;
      const age = thing.observedAt === undefined ? 0 : (clock - thing.observedAt) / 1000;
      const properties: Record<string, unknown> = { ...thing.feature.properties, "~fade": fade(age) };
      if (thing.observedAt !== undefined) properties["~observed"] = thing.observedAt;
      if (thing.heading !== undefined) properties["~heading"] = thing.heading;
      return { ...thing.feature, geometry, properties };
    });
    return { type: "FeatureCollection", features };
  }
}
