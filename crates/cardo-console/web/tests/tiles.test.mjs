/** Vector tiles as MapLibre draws them: the style that the server offers, with nothing of the console. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { launch } from "../scripts/browser.mjs";
import { move, server, town, tram, upsert } from "./city.mjs";

before(() => upsert(town()));

const base = new URL("/a-map/", server).href;
const library = new URL("../node_modules/maplibre-gl/dist/", import.meta.url);

const page = (style) => `<!doctype html><meta charset="utf-8"><div id="map" style="width:800px;height:600px"></div>
<script type="module">
import * as maplibregl from "./maplibre-gl.mjs";
window.map = new maplibregl.Map({ container: "map", style: ${JSON.stringify(style)}, center: [10.005, 50.003], zoom: 15, fadeDuration: 0 });
window.complaints = [];
window.map.on("error", (event) => window.complaints.push(String(event.error)));
</script>`;

/** A page of its own that shows a style, and what was asked for. */
async function show(t, style) {
  const browser = await launch();
  t.after(() => browser.close());
  const shown = await browser.newPage({ viewport: { width: 800, height: 600 } });
  const asked = [];
  shown.on("request", (request) => asked.push(request.url()));
  await shown.route(`${base}**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice("/a-map/".length);
    if (name === "") return route.fulfill({ contentType: "text/html", body: page(style) });
    return route.fulfill({ contentType: "text/javascript", body: await readFile(new URL(name, library)) });
  });
  await shown.goto(base);
  return { shown, asked };
}

const drawn = (shown) =>
  shown.waitForFunction(() => window.map?.isStyleLoaded() && window.map.areTilesLoaded() && window.map.queryRenderedFeatures().length > 0, undefined, { timeout: 30_000, polling: 100 });

const features = (shown) =>
  shown.evaluate(() => window.map.queryRenderedFeatures().map(({ layer, properties, geometry }) => ({ layer: layer.id, id: properties.id, name: properties.name, geometry })));

test("the style of the dataset draws areas, lines and points from the tiles", async (t) => {
  const { shown, asked } = await show(t, new URL("/ogc/styles/default", server).href);
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
  const { shown } = await show(t, new URL("/ogc/collections/Tram/styles/default", server).href);
  await drawn(shown);
  const place = async () => (await features(shown)).find((one) => one.id === tram).geometry.coordinates;
  const isNear = ([lng, lat], [x, y]) => Math.abs(lng - x) < 1e-4 && Math.abs(lat - y) < 1e-4;
  assert.ok(isNear(await place(), [10.001, 50.001]));
  await move(tram, 10.003, 50.0012);
  await shown.reload();
  await drawn(shown);
  assert.ok(isNear(await place(), [10.003, 50.0012]));
});
