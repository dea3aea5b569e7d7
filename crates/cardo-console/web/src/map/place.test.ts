import { expect, test } from "vitest";
import type { Box } from "../data/twin.ts";
import { homeOf } from "./place.ts";
import type { Layer } from "./plan.ts";
import type { Role } from "./roles.ts";

const layer = (role: Role, extent: Box | undefined): Layer => ({
  type: { name: role, type: role, columns: [], geometry: "location", extent, interval: undefined },
  role, isVisible: true, from: "items", isClustered: false, count: 1, classes: undefined,
});

test("the map begins where the ground is", () => {
  const layers = [layer("data", [0, 0, 50, 50]), layer("building", [10, 10, 11, 11]), layer("road", [10.5, 10, 12, 11])];
  expect(homeOf(layers)).toEqual([10, 10, 12, 11]);
});

test("without ground one layer far away does not decide", () => {
  const layers = [layer("data", [0, 0, 180, 80]), layer("data", [10, 10, 11, 11]), layer("data", [10, 10, 12, 12])];
  expect(homeOf(layers)).toEqual([10, 10, 12, 12]);
  expect(homeOf([layer("data", undefined)])).toBeUndefined();
});
