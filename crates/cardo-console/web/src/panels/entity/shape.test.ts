import { expect, test } from "vitest";
import { geometryOf, numbersOf, subAttributes, targetsOf } from "./shape.ts";

const entity = {
  id: "urn:a", type: "A",
  line: { type: "Property", value: 4 },
  speed: { type: "Property", value: 3, unitCode: "KMH", accuracy: { type: "Property", value: 0.5 }, measuredBy: { type: "Relationship", object: "urn:sensor" } },
  near: { type: "Relationship", object: ["urn:b", "urn:c"] },
  note: { type: "Property", value: { type: "Property", value: 1 } },
  footprint: { type: "GeoProperty", value: { type: "Point", coordinates: [1, 2] } },
};

test("what a value holds is no attribute of it", () => {
  expect(subAttributes(entity.note)).toEqual([]);
  expect(subAttributes(entity.speed).map(([name]) => name)).toEqual(["accuracy", "measuredBy"]);
});

test("whatever is pointed to is found, at any depth", () => {
  expect(targetsOf(entity)).toEqual(["urn:sensor", "urn:b", "urn:c"]);
});

test("numbers have their units, those that have one first, and a place is found by any name", () => {
  expect(numbersOf(entity)).toEqual([["speed", "KMH"], ["line", undefined]]);
  expect(geometryOf(entity)).toEqual({ type: "Point", coordinates: [1, 2] });
  expect(geometryOf({ id: "urn:a", type: "A" })).toBeUndefined();
});
