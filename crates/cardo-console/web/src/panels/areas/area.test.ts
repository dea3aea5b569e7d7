import { expect, test } from "vitest";
import { distance, polygonOf, readArea, sizeOf, writeArea } from "./area.ts";

test("an area that is written and read again is the same", () => {
  for (const text of ["box:24.93,60.16,24.95,60.17", "polygon:24,60;25,60;25,61", "circle:24.94,60.17,500.5", "of:District:urn:ngsi-ld:District:1"]) {
    expect(writeArea(readArea(text)!)).toBe(text);
  }
});

test("what is no area is none", () => {
  for (const text of [undefined, "", "box:1,2,3", "box:3,2,1,4", "box:a,2,3,4", "box:0,0,1,99", "circle:1,2,0", "circle:1,2,-5", "polygon:1,2;3,4", "polygon:1,2,3;3,4;5,6", "of:District", "heap:1"]) {
    expect(readArea(text), text).toBeUndefined();
  }
});

test("a circle is as far from its centre everywhere as its radius says, and turns against the clock", () => {
  const ring = polygonOf({ kind: "circle", centre: [24.94, 60.17], radius: 500 }).coordinates[0]!;
  for (const place of ring) expect(distance([24.94, 60.17], place)).toBeCloseTo(500, 0);
  expect(ring[0]).toEqual(ring.at(-1));
  expect(ring[1]![0]).toBeLessThan(ring[0]![0]!);
  expect(sizeOf({ type: "Polygon", coordinates: [ring] })! / (Math.PI * 500 ** 2)).toBeCloseTo(1, 2);
});
