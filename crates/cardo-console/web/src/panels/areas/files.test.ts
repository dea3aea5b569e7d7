import { expect, test } from "vitest";
import { csv, tableCsv, tableGeoJson } from "./files.ts";
import { measureKey, readMeasure, sorted, type Row } from "./measure.ts";
import { shadesOf } from "./shade.ts";

const square = { type: "Polygon" as const, coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] };
const row = (id: string, count: number, mean?: number): Row => ({
  place: { id, name: `The "${id}"`, geometry: square, size: 2e6 },
  types: [{ type: "Tree", count, numbers: mean === undefined ? [] : [{ attribute: "height", unit: "MTR", count: 1, sum: mean, mean, min: mean, max: mean }] }],
});

test("a cell with a separator, a quote or a line break is quoted", () => {
  expect(csv([["a,b", 'c"d', "e\nf", null, 0.5]])).toBe('"a,b","c""d","e\nf",,0.5\r\n');
});

test("a table and its map have the same names and numbers", () => {
  const rows = [row("a", 2, 7.25), row("b", 0)];
  const [head, first, second] = tableCsv(rows, ["Tree"]).split("\r\n");
  expect(head).toBe("id,name,area_m2,Tree.count,Tree.height.MTR.sum,Tree.height.MTR.mean,Tree.height.MTR.min,Tree.height.MTR.max");
  expect(first).toBe('a,"The ""a""",2000000,2,7.25,7.25,7.25,7.25');
  expect(second).toBe('b,"The ""b""",2000000,0,,,,');
  const { features } = JSON.parse(tableGeoJson(rows, ["Tree"])) as { features: { properties: Record<string, unknown> }[] };
  expect(features[0]!.properties["Tree.height.MTR.mean"]).toBe(7.25);
  expect(features[1]!.properties["Tree.height.MTR.mean"]).toBeNull();
});

test("a measure is read as it is written, and another text is none", () => {
  for (const key of ["Tree:count", "Tree:density", "Tree:height:MTR:mean", "Tree:storeys::sum"]) expect(measureKey(readMeasure(key)!)).toBe(key);
  for (const key of [undefined, "", "Tree", "Tree:mean", "Tree:height:MTR:count", "Tree:a:b:c:sum"]) expect(readMeasure(key)).toBeUndefined();
});

test("what has no value comes last, whichever way one sorts", () => {
  const rows = [row("a", 1), row("b", 2, 3), row("c", 3, 1)];
  const by = readMeasure("Tree:height:MTR:mean")!;
  expect(sorted(rows, by, false).map(({ place }) => place.id)).toEqual(["c", "b", "a"]);
  expect(sorted(rows, by, true).map(({ place }) => place.id)).toEqual(["b", "c", "a"]);
});

test("areas with nothing are apart, so that few with something are still told from one another", () => {
  const rows = [row("a", 0), row("b", 0), row("c", 0), row("d", 0), row("e", 3), row("f", 40)];
  const { zero, without, classes, features } = shadesOf(rows, readMeasure("Tree:count")!);
  expect([zero, without]).toEqual([4, 0]);
  expect(classes.map(({ from, to, count }) => [from, to, count])).toEqual([[3, 40, 1], [40, 40, 1]]);
  expect(new Set(features.features.map(({ properties }) => properties?.["colour"] as unknown)).size).toBe(3);
});
