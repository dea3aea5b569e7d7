import { expect, test } from "vitest";
import type { TwinType } from "../data/twin.ts";
import { planLayers, switched, type Seen } from "./plan.ts";

const type = (name: string, columns: string[] = [], hasPlace = true): TwinType => ({
  name, type: name, columns: columns.map((name) => ({ name, attribute: name })), geometry: "location",
  extent: hasPlace ? [0, 0, 1, 1] : undefined, interval: undefined,
});
const types = [type("Building"), type("Kiosk"), type("Bus", ["heading"]), type("Sensor"), type("Zone"), type("Note", [], false)];
const counts = { Building: 90, Kiosk: 300, Bus: 40, Sensor: 100_000, Zone: 300, Note: 7 };
const kinds = { Building: "Polygon", Kiosk: "Point", Bus: "Point", Sensor: "Point", Zone: "Polygon" };
const seen: Seen = { kinds, moving: new Set(), mixed: new Set() };
const view = { show: [], hide: [] };
const plan = (hasTiles: boolean, others: Partial<Seen> = {}) =>
  Object.fromEntries(planLayers(types, counts, view, {}, hasTiles, { ...seen, ...others }).map((layer) => [layer.type.name, layer]));

test("a layer is loaded as suits its size, and what has no place is none", () => {
  const { Building, Kiosk, Bus, Sensor, Note } = plan(true);
  expect([Building?.from, Kiosk?.from, Bus?.from, Sensor?.from]).toEqual(["tiles", "items", "moving", "tiles"]);
  expect(Note).toBeUndefined();
  expect(plan(false)["Sensor"]?.from).toBe("items");
});

test("only points are joined at small scale", () => {
  expect(plan(true)["Kiosk"]?.isClustered).toBe(true);
  expect(plan(true)["Zone"]?.isClustered).toBe(false);
  expect(plan(true, { mixed: new Set(["Kiosk"]) })["Kiosk"]?.isClustered).toBe(false);
});

test("a type that was seen to move is kept one by one", () => {
  expect(plan(true, { moving: new Set(["Kiosk"]) })["Kiosk"]?.from).toBe("moving");
});

test("a switch says only what is other than by default, and twice is as before", () => {
  const kiosk = plan(true)["Kiosk"]!;
  const off = switched(view, kiosk, true);
  expect(off).toEqual({ show: [], hide: ["Kiosk"] });
  expect(switched(off, { ...kiosk, isVisible: false }, true)).toEqual(view);
  expect(switched(view, { ...kiosk, isVisible: false }, false)).toEqual({ show: ["Kiosk"], hide: [] });
});
