import { expect, test } from "vitest";
import { middleOf } from "./middle.ts";

test("an area is named in the middle of its largest part", () => {
  const square = (x: number, size: number) => [[[x, 0], [x + size, 0], [x + size, size], [x, size], [x, 0]]];
  const geometry = { type: "MultiPolygon" as const, coordinates: [square(0, 1), square(10, 4)] };
  const { geometry: middle } = middleOf({ type: "Feature", properties: {}, geometry });
  expect(middle).toEqual({ type: "Point", coordinates: [12, 2] });
});

test("what is no area stays where it is", () => {
  const point = { type: "Feature" as const, properties: {}, geometry: { type: "Point" as const, coordinates: [1, 2] } };
  expect(middleOf(point)).toBe(point);
});
