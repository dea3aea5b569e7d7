/** Tiles that stand ready in a file, as MapLibre draws them by the style that the server offers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { server } from "./city.mjs";
import { drawn, features, show } from "./map.mjs";

test("the style of an archive draws its layers from its tiles, at a level that it does not have as well", async (t) => {
  const style = new URL("/ogc/collections/drawn/styles/default", server).href;
  const { shown, asked } = await show(t, style, { center: [24.9443, 60.1716], zoom: 17.2 });
  await drawn(shown);
  const found = await features(shown);
  assert.ok(found.some((one) => one.layer === "buildings-areas" && one.id.startsWith("buildings.")), JSON.stringify(found.slice(0, 3)));
  const tiles = asked.filter((url) => url.includes("/ogc/collections/drawn/tiles/WebMercatorQuad/16/"));
  assert.ok(tiles.length > 0, asked.join("\n"));
  assert.ok(!asked.some((url) => /WebMercatorQuad\/17\//.test(url)), "what is nearer is drawn from the last level");
  assert.deepEqual(await shown.evaluate(() => window.complaints), []);
});
