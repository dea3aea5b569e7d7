import assert from "node:assert/strict";
import { before } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { drawn } from "../scripts/browser.mjs";
import { isAt, isDrawn, look, manySensors, move, placeOf, server, test, town, tram, upsert } from "./city.mjs";

before(() => upsert(town()));

const isLive = (page) => page.waitForSelector(".live[data-state=live]");
const mark = (page) => page.evaluate(() => (window.mark = "still here"));
const marked = (page) => page.evaluate(() => window.mark);

test("entities are drawn, and nothing is asked of any other server", async (t) => {
  const { page, seen } = await look(t);
  await isAt(page, "urn:ngsi-ld:Kiosk:3", 10.0015, 50.004);
  for (const id of ["urn:ngsi-ld:Building:1", "urn:ngsi-ld:RoadSegment:1", tram]) await isDrawn(page, id);
  await isLive(page);
  const elsewhere = seen.requests.filter((url) => !/^(data|blob):/.test(url) && new URL(url).origin !== new URL(server).origin);
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(seen.complaints, []);
});

test("what moves is moved without reloading, whether or not its type says that it moves", async (t) => {
  const { page, seen } = await look(t);
  await isLive(page);
  await mark(page);
  await isAt(page, tram, 10.001, 50.001);
  await move(tram, 10.003, 50.0012);
  await isAt(page, tram, 10.003, 50.0012);
  await move("urn:ngsi-ld:Kiosk:3", 10.0015, 50.005);
  await isAt(page, "urn:ngsi-ld:Kiosk:3", 10.0015, 50.005);
  assert.equal(await marked(page), "still here");
  assert.deepEqual(seen.complaints, []);
  await upsert(town());
});

test("what happened while the connection was away is caught up with", async (t) => {
  const { page, context } = await look(t);
  await isLive(page);
  await mark(page);
  await context.setOffline(true);
  await page.waitForSelector(".live[data-state=offline]");
  await page.waitForSelector(".offline");
  await move(tram, 10.0045, 50.0008);
  await upsert([{ id: "urn:ngsi-ld:Kiosk:new", type: "Kiosk", location: { type: "GeoProperty", value: { type: "Point", coordinates: [10.003, 50.003] } } }]);
  await context.setOffline(false);
  await isLive(page);
  await isAt(page, tram, 10.0045, 50.0008);
  await isAt(page, "urn:ngsi-ld:Kiosk:new", 10.003, 50.003);
  assert.equal(await marked(page), "still here");
  await upsert(town());
});

test("a search finds by name and by id, and leads to the entity", async (t) => {
  const { page } = await look(t);
  await page.keyboard.press("/");
  await page.keyboard.type("town h");
  await page.getByRole("option", { name: /Town hall/ }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Town hall" }).waitFor();
  assert.match(page.url(), /entity=urn:ngsi-ld:Building:1/);
  await page.keyboard.press("Escape");
  await page.getByRole("heading", { name: "Town hall" }).waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("kiosk:19");
  await page.getByRole("option", { name: /Kiosk 19/ }).click();
  await page.getByRole("heading", { name: "Kiosk 19" }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("vanhakau");
  await page.getByRole("option", { name: /Old Town/ }).waitFor();
});

test("a type without geometry is listed, and the map stays as it is", async (t) => {
  const { page, seen } = await look(t, { hash: "#map=15.5/50.00200/10.00450&panel=data" });
  await page.locator("[data-type=Minutes]").waitFor();
  assert.match(await page.locator("[data-type=Minutes]").innerText(), /Minutes/);
  await isDrawn(page, "urn:ngsi-ld:Building:1");
  assert.deepEqual(seen.complaints, []);
});

test("a layer is switched off and coloured, and a link restores both", async (t) => {
  const { page } = await look(t, { hash: "#map=15.5/50.00200/10.00450&panel=layers" });
  const layer = (name) => page.locator(`[data-layer=${name}]`);
  await layer("Tram").getByRole("switch").click();
  await page.waitForFunction((id) => !document.querySelector(".map").map.queryRenderedFeatures().some((f) => f.properties.id === id), tram);
  await layer("Kiosk").getByRole("button", { name: /Colour by/ }).click();
  await layer("Kiosk").getByRole("combobox").selectOption("seats");
  await layer("Kiosk").locator(".legend").waitFor();
  assert.match(page.url(), /hide=Tram/);
  assert.match(page.url(), /by=Kiosk:seats/);
  await page.reload();
  await drawn(page);
  await layer("Kiosk").locator(".legend").waitFor();
  assert.equal(await layer("Tram").getByRole("switch").getAttribute("aria-checked"), "false");
  assert.equal(await placeOf(page, tram), undefined);
});

for (const dark of [false, true]) {
  test(`axe finds nothing wrong in the ${dark ? "dark" : "light"}`, async (t) => {
    const { page } = await look(t, { dark, hash: `#map=15.5/50.00200/10.00450&panel=layers&by=Kiosk:seats&entity=${tram}` });
    await page.getByRole("heading", { name: "Tram One" }).waitFor();
    await page.locator(".legend").waitFor();
    const check = async () => {
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`), []);
    };
    await check();
    await page.getByRole("button", { name: "Data", exact: true }).click();
    await page.locator("[data-type=Minutes]").waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("kiosk");
    await page.getByRole("option").first().waitFor();
    await check();
  });
}

test("on a phone the panels are sheets that leave the map in sight", async (t) => {
  const { page } = await look(t, { hash: "#map=15.5/50.00200/10.00450&panel=layers", viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const sheet = await page.locator(".panel").boundingBox();
  assert.ok(sheet.x <= 0 && sheet.width >= 390 && sheet.y > 844 * 0.3, JSON.stringify(sheet));
  const wider = () => [...document.querySelectorAll("body *")].filter((part) => part.getBoundingClientRect().right > innerWidth + 1).map((part) => part.className);
  assert.deepEqual(await page.evaluate(wider), []);
});

test("a layer of 100,000 points comes by tile and never whole, and what changes on it is seen at once", async (t) => {
  const large = { "NGSILD-Tenant": "large" };
  await manySensors(100_000, large);
  const hash = "#map=15.5/50.00500/10.00500&show=Sensor";
  const { page, seen } = await look(t, { path: "/tenants/large/", hash });
  const id = "urn:ngsi-ld:Sensor:505";
  await isAt(page, id, 10.005, 50.005);
  await isLive(page);
  const asked = seen.requests.filter((url) => url.includes("/collections/Sensor/"));
  assert.ok(asked.some((url) => url.includes("/tiles/WebMercatorQuad/15/")), asked.join("\n"));
  assert.deepEqual(asked.filter((url) => /items\?(?!limit=1$)/.test(url)), []);
  const held = await page.evaluate(() => {
    const parts = document.querySelector(".map").map.querySourceFeatures("of Sensor", { sourceLayer: "Sensor" });
    return new Set(parts.map((part) => part.properties.id)).size;
  });
  assert.ok(held > 0 && held < 5_000, `${held} of 100,000 are held`);
  await move(id, 10.0055, 50.0055, large);
  await isAt(page, id, 10.0055, 50.0055);
  assert.deepEqual(seen.complaints, []);
});

test("an empty twin says what to do, and fills when something comes", async (t) => {
  const note = { id: "urn:ngsi-ld:Minutes:1", type: "Minutes", name: { type: "Property", value: "Nowhere" } };
  await upsert([note], { "NGSILD-Tenant": "empty" });
  const isSaid = (page) => page.getByText("Nothing is on this map yet").waitFor();
  const { page } = await look(t, { path: "/tenants/empty/", hash: "#map=15.5/50.00200/10.00450", ready: isSaid });
  await isLive(page);
  await upsert([{ id: "urn:ngsi-ld:Kiosk:first", type: "Kiosk", location: { type: "GeoProperty", value: { type: "Point", coordinates: [10.004, 50.003] } } }], { "NGSILD-Tenant": "empty" });
  await isAt(page, "urn:ngsi-ld:Kiosk:first", 10.004, 50.003);
  assert.equal(await page.getByText("Nothing is on this map yet").count(), 0);
});

test("below a tenant's prefix the console shows that tenant", async (t) => {
  const kiosk = { id: "urn:ngsi-ld:Kiosk:north", type: "Kiosk", name: { type: "Property", value: "North" }, location: { type: "GeoProperty", value: { type: "Point", coordinates: [10.004, 50.003] } } };
  await upsert([kiosk], { "NGSILD-Tenant": "north" });
  const { page, seen } = await look(t, { path: "/tenants/north" });
  await isAt(page, kiosk.id, 10.004, 50.003);
  assert.equal(await placeOf(page, tram), undefined);
  const outside = seen.requests.filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(`${server}/tenants/north`));
  assert.deepEqual(outside, []);
});
