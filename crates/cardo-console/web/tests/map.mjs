/** A page of its own with nothing on it but MapLibre, which shows a style of the server. */
import { readFile } from "node:fs/promises";
import { launch } from "../scripts/browser.mjs";
import { server } from "./city.mjs";

const base = new URL("/a-map/", server).href;
const library = new URL("../node_modules/maplibre-gl/dist/", import.meta.url);

const page = (style, { center, zoom }) => `<!doctype html><meta charset="utf-8"><div id="map" style="width:800px;height:600px"></div>
<script type="module">
import * as maplibregl from "./maplibre-gl.mjs";
window.map = new maplibregl.Map({ container: "map", style: ${JSON.stringify(style)}, center: ${JSON.stringify(center)}, zoom: ${zoom}, fadeDuration: 0 });
window.complaints = [];
window.map.on("error", (event) => window.complaints.push(String(event.error)));
</script>`;

/** Opens the page; also what was asked for. */
export async function show(t, style, view) {
  const browser = await launch();
  t.after(() => browser.close());
  const shown = await browser.newPage({ viewport: { width: 800, height: 600 } });
  const asked = [];
  shown.on("request", (request) => asked.push(request.url()));
  await shown.route(`${base}**`, async (route) => {
    const name = new URL(route.request().url()).pathname.slice("/a-map/".length);
    if (name === "") return route.fulfill({ contentType: "text/html", body: page(style, view) });
    return route.fulfill({ contentType: "text/javascript", body: await readFile(new URL(name, library)) });
  });
  await shown.goto(base);
  return { shown, asked };
}

export const drawn = (shown) =>
  shown.waitForFunction(() => window.map?.isStyleLoaded() && window.map.areTilesLoaded() && window.map.queryRenderedFeatures().length > 0, undefined, { timeout: 30_000, polling: 100 });

export const features = (shown) =>
  shown.evaluate(() => window.map.queryRenderedFeatures().map(({ layer, properties, geometry }) => ({ layer: layer.id, id: properties.id, name: properties.name, geometry })));
