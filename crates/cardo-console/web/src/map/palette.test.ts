import { expect, test } from "vitest";
import { classBreaks, classColours, colourOf, OKABE_ITO, VIRIDIS } from "./palette.ts";

test("a type has one colour, of the palette, known or not", () => {
  for (const type of ["Vehicle", "SomethingNew", "Ääkkönen"]) {
    expect(colourOf(type)).toBe(colourOf(type));
    expect(OKABE_ITO).toContain(colourOf(type));
  }
});

test("classes hold about as many values each, and equal values stand in one", () => {
  const values = Array.from({ length: 100 }, (_, at) => at);
  expect(classBreaks(values)).toEqual([20, 40, 60, 80]);
  expect(classBreaks([3, 3, 3, 3])).toEqual([]);
  expect(classBreaks([1, 1, 1, 9])).toEqual([9]);
  expect(classBreaks([])).toEqual([]);
});

test("there is a colour for every class, from end to end of the scale", () => {
  expect(classColours(4)).toEqual([...VIRIDIS]);
  expect(classColours(1)).toEqual([VIRIDIS[0], VIRIDIS[4]]);
  expect(classColours(0)).toHaveLength(1);
});
