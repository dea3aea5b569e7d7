import { expect, test } from "vitest";
import { historyPath, seriesOf } from "./history.ts";

const values = (...pairs: [unknown, string][]) => ({ type: "Property", values: pairs });

test("what had one value only has no history to be drawn", () => {
  const temporal = { speed: values([1, "2026-11-27T12:00:00Z"], [2, "2026-11-27T12:00:10Z"]), height: values([5, "2026-11-27T12:00:00Z"], [5, "2026-11-27T12:00:10Z"]) };
  expect(seriesOf(temporal, ["speed", "height", "gone"]).map((series) => series.attribute)).toEqual(["speed"]);
});

test("values are in the order of their times, numbers alone, one a moment", () => {
  const temporal = { a: values([3, "2026-11-27T12:00:02Z"], [1, "2026-11-27T12:00:00Z"], ["x", "2026-11-27T12:00:01Z"], [4, "2026-11-27T12:00:02Z"]) };
  const [series] = seriesOf(temporal, ["a"]);
  expect(series?.values).toEqual([1, 4]);
  expect(series!.times[1]! - series!.times[0]!).toBe(2);
});

test("of several data sets the first is drawn", () => {
  const first = values([1, "2026-11-27T12:00:00Z"], [2, "2026-11-27T12:00:10Z"]);
  expect(seriesOf({ a: [first, values()] }, ["a"])[0]?.values).toEqual([1, 2]);
});

test("an id with any characters stays one part of the address", () => {
  expect(historyPath("urn:x:a/b?c#ö", ["speed"])).toBe("ngsi-ld/v1/temporal/entities/urn%3Ax%3Aa%2Fb%3Fc%23%C3%B6?attrs=speed&lastN=300&options=temporalValues");
});
