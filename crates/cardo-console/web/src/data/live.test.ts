import { expect, test } from "vitest";
import { backOff } from "./live.ts";

test("attempts to connect come later and later, and never too late", () => {
  const waits = [0, 1, 2, 3, 9].map((attempt) => backOff(attempt, 0.5));
  expect(waits).toEqual([500, 1000, 2000, 4000, 15000]);
  expect(backOff(20, 1)).toBeLessThanOrEqual(18750);
});
