import { expect, test } from "vitest";
import { fieldTime, momentOfField, relativeTime, shortId, spaced, unit, withUnit } from "./format.ts";

test("a number has its unit's sign, and a code without one stays", () => {
  expect(withUnit(21.456, "CEL")).toBe("21.46\u202f°C");
  expect(withUnit(333, "DD")).toBe("333°");
  expect(withUnit(5)).toBe("5");
  expect(unit("X9")).toBe("X9");
});

test("a time is said as one would say it", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");
  expect(relativeTime("2026-11-27T11:58:00Z", now)).toBe("2 minutes ago");
  expect(relativeTime("2026-11-26T12:00:00Z", now)).toBe("yesterday");
});

test("a long id keeps its start and more of its end", () => {
  const short = shortId("urn:ngsi-ld:BikeHireDockingStation:hsl-501", 24);
  expect(short).toHaveLength(24);
  expect(short.startsWith("urn:ngsi") && short.endsWith("hsl-501")).toBe(true);
});

test("names become words", () => {
  expect(spaced("BikeHireDockingStation")).toBe("Bike hire docking station");
  expect(spaced("floors_above_ground")).toBe("Floors above ground");
  expect(spaced("CO2Level")).toBe("CO2 level");
});

test("a field of local time holds a moment to the second", () => {
  expect(momentOfField(fieldTime("2026-01-31T12:00:05Z"))).toBe("2026-01-31T12:00:05Z");
  expect([momentOfField(""), fieldTime("yesterday")]).toEqual([undefined, ""]);
});
