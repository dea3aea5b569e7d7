/** Vector tiles as MapLibre draws them: the style that the server offers, with nothing of the console. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { move, server, town, tram, upsert } from "./city.mjs";
import { drawn, features, show } from "./map.mjs";

before(() => upsert(town()));

const view = { center: [10.005, 50.003], zoom: 15 };

test("the style of the dataset draws areas, lines and points from the tiles", async (t) => {
  const { shown, asked } = await show(t, new URL("/ogc/styles/default", server).href, view);
  await drawn(shown);
  const found = await features(shown);
  const layers = (id) => found.filter((one) => one.id === id).map((one) => one.layer).sort();
  assert.deepEqual([...new Set(layers("urn:ngsi-ld:Building:1"))], ["Building-areas", "Building-lines"]);
  assert.deepEqual([...new Set(layers("urn:ngsi-ld:RoadSegment:1"))], ["RoadSegment-lines"]);
  assert.deepEqual([...new Set(layers(tram))], ["Tram-points"]);
  assert.ok(found.some((one) => one.name === "Town hall"));
  assert.ok(asked.some((url) => /\/ogc\/tiles\/WebMercatorQuad\/\d+\/\d+\/\d+/.test(url)), asked.join("\n"));
  assert.deepEqual(await shown.evaluate(() => window.complaints), []);
});

test("what was written before a map is opened again is where it was written to", async (t) => {
  const { shown } = await show(t, new URL("/ogc/collections/Tram/styles/default", server).href, view);
  await drawn(shown);
  const place = async () => (await features(shown)).find((one) => one.id === tram).geometry.coordinates;
  const isNear = ([lng, lat], [x, y]) => Math.abs(lng - x) < 1e-4 && Math.abs(lat - y) < 1e-4;
  assert.ok(isNear(await place(), [10.001, 50.001]));
  await move(tram, 10.003, 50.0012);
  await shown.reload();
  await drawn(shown);
  assert.ok(isNear(await place(), [10.003, 50.0012]));
});
