import { expect, test } from "vitest";
import { ofTable } from "./figures.ts";

test("a row of the table tells the same as GraphQL does", () => {
  const row = {
    name: "Centre", area: 12, "Building.count": 3, "BuildingPart.count": 9,
    "Building.height.MTR.count": 2, "Building.height.MTR.sum": 30, "Building.height.MTR.mean": 15, "Building.height.MTR.min": 10, "Building.height.MTR.max": 20,
    "Building.floors.count": 1, "Building.floors.sum": 4, "Building.floors.mean": 4, "Building.floors.min": 4, "Building.floors.max": 4,
    "Building.rooms.count": 0, "Building.rooms.sum": null, "Building.rooms.mean": null, "Building.rooms.min": null, "Building.rooms.max": null,
  };
  expect(ofTable("Building", row)).toEqual({
    type: "Building",
    count: 3,
    numbers: [
      { attribute: "height", unit: "MTR", count: 2, sum: 30, mean: 15, min: 10, max: 20 },
      { attribute: "floors", unit: null, count: 1, sum: 4, mean: 4, min: 4, max: 4 },
    ],
  });
});
