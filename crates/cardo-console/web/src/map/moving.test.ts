import type { Feature, Point } from "geojson";
import { expect, test } from "vitest";
import { bearing, fade, metres, Moving, positionAt } from "./moving.ts";

const at = (lng: number, lat: number): Feature<Point> => ({
  type: "Feature", id: "urn:x:1", properties: { name: "Tram" }, geometry: { type: "Point", coordinates: [lng, lat] },
});

test("a thing glides from where it was to where it is in the time between two messages", () => {
  const moving = new Moving();
  moving.take(at(24.94, 60.17), undefined, undefined, 0, true);
  moving.take(at(24.941, 60.17), undefined, undefined, 2000, true);
  const thing = moving.get("urn:x:1")!;
  expect(positionAt(thing, 2000)).toEqual([24.94, 60.17]);
  expect(positionAt(thing, 3000)![0]).toBeCloseTo(24.9405, 6);
  expect(positionAt(thing, 4000)).toEqual([24.941, 60.17]);
  expect(moving.isInMotion(3000)).toBe(true);
  expect(moving.isInMotion(4001)).toBe(false);
});

test("a message on the way bends the way from where the thing is shown, without a jump", () => {
  const moving = new Moving();
  moving.take(at(24.94, 60.17), undefined, undefined, 0, true);
  moving.take(at(24.942, 60.17), undefined, undefined, 2000, true);
  moving.take(at(24.944, 60.17), undefined, undefined, 3000, true);
  expect(positionAt(moving.get("urn:x:1")!, 3000)![0]).toBeCloseTo(24.941, 6);
});

test("what jumps far, or is not to glide, is there at once", () => {
  for (const [lng, glides] of [[25.2, true], [24.941, false]] as const) {
    const moving = new Moving();
    moving.take(at(24.94, 60.17), undefined, undefined, 0, true);
    moving.take(at(lng, 60.17), undefined, undefined, 1000, glides);
    expect(positionAt(moving.get("urn:x:1")!, 1000)).toEqual([lng, 60.17]);
    expect(moving.isInMotion(1000)).toBe(false);
  }
});

test("a heading is that of the message, else that of the way", () => {
  const moving = new Moving();
  moving.take(at(24.94, 60.17), undefined, undefined, 0, true);
  expect(moving.drawn(0, 0).features[0]!.properties).not.toHaveProperty("~heading");
  moving.take(at(24.95, 60.17), undefined, undefined, 1000, true);
  expect(moving.get("urn:x:1")!.heading).toBeCloseTo(90, 0);
  moving.take(at(24.95, 60.17), 12, undefined, 2000, true);
  expect(moving.get("urn:x:1")!.heading).toBe(12);
});

test("what was not heard of for long is pale", () => {
  expect(fade(5)).toBe(1);
  expect(fade(5000)).toBe(0.35);
  expect(fade(480)).toBeGreaterThan(0.35);
  const moving = new Moving();
  moving.take(at(0, 0), undefined, "2026-01-01T00:00:00Z", 0, true);
  expect(moving.drawn(0, Date.parse("2026-01-02T00:00:00Z")).features[0]!.properties!["~fade"]).toBe(0.35);
});

test("distances and bearings are those of the map", () => {
  expect(metres([24.94, 60.17], [24.94, 60.18])).toBeCloseTo(1112, 0);
  expect(bearing([24.94, 60.17], [24.94, 60.16])).toBeCloseTo(180);
});
