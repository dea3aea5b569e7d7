import { expect, test } from "vitest";
import type { TwinType } from "../data/twin.ts";
import { isShown, roleOf } from "./roles.ts";

const type = (name: string, columns: string[] = []): TwinType => ({
  name,
  type: `https://example.org/${name}`,
  columns: columns.map((name) => ({ name, attribute: name })),
  geometry: "location",
  extent: [0, 0, 1, 1],
  interval: undefined,
});

test("the ground of a city is recognised by the names its parts have anywhere", () => {
  const roles = { Building: "building", RoadSegment: "road", Road: "road", WaterBody: "water", Park: "green", Garden: "green",
    RailwaySegment: "rail", LandUse: "landuse", District: "district", Neighborhood: "district", Tree: "tree" };
  for (const [name, role] of Object.entries(roles)) expect(roleOf(name)).toBe(role);
  for (const name of ["RoadAccident", "BuildingOperation", "Vehicle", "WaterQualityObserved"]) expect(roleOf(name)).toBe("data");
});

test("few points and what moves are shown at first, many points and areas are not", () => {
  expect(isShown(type("Kiosk"), "data", 40)).toBe(true);
  expect(isShown(type("Kiosk"), "data", 100_000)).toBe(false);
  expect(isShown(type("Bus", ["heading"]), "data", 100_000)).toBe(true);
  expect(isShown(type("PopulationCell"), "data", 10)).toBe(false);
  expect(isShown({ ...type("Kiosk"), extent: undefined }, "data", 40)).toBe(false);
});
