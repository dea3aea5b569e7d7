/** A small town to look at, and how it changes. */
import { test } from "node:test";
import { drawn, launch } from "../scripts/browser.mjs";

export const server = process.env.CARDO_URL ?? "http://127.0.0.1:8787";

const point = (lng, lat) => ({ type: "GeoProperty", value: { type: "Point", coordinates: [lng, lat] } });
const square = (lng, lat, size) => ({
  type: "GeoProperty",
  value: { type: "Polygon", coordinates: [[[lng, lat], [lng + size, lat], [lng + size, lat + size], [lng, lat + size], [lng, lat]]] },
});
const text = (value) => ({ type: "Property", value });

export const tram = "urn:ngsi-ld:Tram:1";

export function town() {
  const entities = [
    { id: tram, type: "Tram", name: text("Tram One"), heading: { type: "Property", value: 90, unitCode: "DD" }, location: point(10.001, 50.001) },
    { id: "urn:ngsi-ld:Building:1", type: "Building", name: text("Town hall"), height: { type: "Property", value: 20, unitCode: "MTR" }, location: square(10.004, 50.002, 0.001) },
    { id: "urn:ngsi-ld:RoadSegment:1", type: "RoadSegment", name: text("High Street"), roadClass: text("primary"), location: { type: "GeoProperty", value: { type: "LineString", coordinates: [[9.998, 50.001], [10.012, 50.001]] } } },
    { id: "urn:ngsi-ld:District:1", type: "District", name: { type: "LanguageProperty", languageMap: { en: "Old Town", fi: "Vanhakaupunki" } }, location: square(9.995, 49.996, 0.02) },
    { id: "urn:ngsi-ld:Minutes:1", type: "Minutes", name: text("Minutes of a meeting") },
  ];
  for (let at = 0; at < 20; at += 1) {
    entities.push({ id: `urn:ngsi-ld:Kiosk:${at}`, type: "Kiosk", name: text(`Kiosk ${at}`), seats: text(at), location: point(10 + at * 0.0005, 50.004) });
  }
  return entities;
}

async function send(method, path, body, headers = {}) {
  const answer = await fetch(new URL(path, server), { method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path} → ${answer.status} ${await answer.text()}`);
}

export const upsert = (entities, headers) => send("POST", "/ngsi-ld/v1/entityOperations/upsert", entities, headers);
export const move = (id, lng, lat, headers) => send("PATCH", `/ngsi-ld/v1/entities/${id}/attrs`, { location: point(lng, lat) }, headers);

/** A place with more sensors than are ever asked for one by one. */
export async function manySensors(count, headers) {
  for (let from = 0; from < count; from += 1000) {
    const part = Array.from({ length: Math.min(1000, count - from) }, (_, at) => ({
      id: `urn:ngsi-ld:Sensor:${from + at}`, type: "Sensor", location: point(10 + ((from + at) % 100) * 0.001, 50 + Math.floor((from + at) / 100) * 0.001),
    }));
    await upsert(part, headers);
  }
}

/** Where an entity is drawn, or nothing. */
export const placeOf = (page, id) =>
  page.evaluate((id) => {
    const map = document.querySelector(".map").map;
    const found = map.queryRenderedFeatures().find((feature) => feature.properties.id === id && !feature.state.replaced);
    return found?.geometry.coordinates;
  }, id);

/** Waits until an entity is drawn. */
export const isDrawn = (page, id) =>
  page.waitForFunction(
    (id) => document.querySelector(".map")?.map?.queryRenderedFeatures().some((feature) => feature.properties.id === id && !feature.state.replaced),
    id,
    { timeout: 30_000, polling: 100 },
  );

/** Waits until an entity is drawn at a place, within a metre or so. */
export const isAt = (page, id, lng, lat) =>
  page.waitForFunction(
    ([id, lng, lat]) => {
      const map = document.querySelector(".map")?.map;
      const found = map?.queryRenderedFeatures().find((feature) => feature.properties.id === id && !feature.state.replaced);
      const at = found?.geometry.coordinates;
      return at && Math.abs(at[0] - lng) < 2e-5 && Math.abs(at[1] - lat) < 2e-5;
    },
    [id, lng, lat],
    { timeout: 30_000, polling: 100 },
  );

/** A browser with the console open; every test has one of its own, and whatever the page complains about fails it. */
export async function look(t, { path = "/", hash = "#map=15.5/50.00200/10.00450", dark = false, ready = drawn, ...options } = {}) {
  const browser = await launch();
  t.after(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", colorScheme: dark ? "dark" : "light", ...options });
  const page = await context.newPage();
  const seen = { requests: [], complaints: [] };
  page.on("request", (request) => seen.requests.push(request.url()));
  page.on("websocket", (socket) => seen.requests.push(socket.url().replace(/^ws/, "http")));
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && seen.complaints.push(message.text()));
  await page.goto(new URL(path, server).href + hash);
  await ready(page);
  return { page, context, seen };
}

export { test };
