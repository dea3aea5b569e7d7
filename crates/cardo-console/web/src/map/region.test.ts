import { expect, test } from "vitest";
import { grown, isEnough } from "./region.ts";

test("nothing is asked again while the view stays inside of what is loaded", () => {
  const box = grown([24, 60, 25, 61], 0.5);
  expect(box).toEqual([23.5, 59.5, 25.5, 61.5]);
  expect(isEnough({ box, isWhole: true }, [24.2, 60.2, 24.3, 60.3])).toBe(true);
  expect(isEnough({ box, isWhole: true }, [25.2, 60.2, 25.6, 60.3])).toBe(false);
  expect(isEnough(undefined, box)).toBe(false);
});

test("what was cut off is asked again when the view comes closer", () => {
  const box = grown([24, 60, 25, 61], 0.5);
  expect(isEnough({ box, isWhole: false }, [24, 60, 25, 61])).toBe(true);
  expect(isEnough({ box, isWhole: false }, [24.4, 60.4, 24.6, 60.6])).toBe(false);
});
