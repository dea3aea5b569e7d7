import { expect, test } from "vitest";
import { nowhere, readView, writeView } from "./view.ts";

test("a view that is written and read again is the same", () => {
  const view = {
    camera: { zoom: 14.2, lat: 60.17, lng: 24.94, bearing: -20, pitch: 45 },
    panel: "data",
    show: ["Tree"],
    hide: ["District", "Vehicle"],
    by: { Building: "height" },
    filter: "temperature>20&x=1#y",
    entity: "urn:ngsi-ld:Vehicle:hsl-40/108?a=b",
    time: "2026-11-27T12:00:00Z",
    more: { area: "box:24.93,60.16,24.95,60.17", shade: "Building.height" },
  };
  expect(readView(writeView(view))).toEqual(view);
  expect(readView(writeView(nowhere))).toEqual(nowhere);
});

test("a link stays legible", () => {
  const camera = { zoom: 14, lat: 60.17, lng: 24.94, bearing: 0, pitch: 0 };
  const written = writeView({ ...nowhere, camera, entity: "urn:ngsi-ld:Tree:1" });
  expect(written).toBe("#map=14.00/60.17000/24.94000&entity=urn:ngsi-ld:Tree:1");
});

test("a place that cannot be is no place", () => {
  for (const text of ["", "#map=", "#map=a/b/c", "#map=14/100/20", "#map=99/60/20", "#map=14/60"]) {
    expect(readView(text).camera).toBeUndefined();
  }
});
