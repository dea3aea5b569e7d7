/** Areas, how to use the twin elsewhere, and sources; in a tenant of their own, so that nobody else's changes count. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { before } from "node:test";
import { promisify } from "node:util";
import AxeBuilder from "@axe-core/playwright";
import { look, server, test, upsert } from "./city.mjs";

const tenant = "/tenants/panels";
const run = promisify(execFile);
const place = (geometry) => ({ type: "GeoProperty", value: geometry });
const number = (value, unitCode) => ({ type: "Property", value, ...(unitCode ? { unitCode } : {}) });
const square = (west, south, size) => ({
  type: "Polygon",
  coordinates: [[[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]],
});

/** Three districts side by side, of which the last is empty, with benches and huts in the others. */
const districts = ["West", "Middle", "East"].map((name, at) => ({ id: `urn:ngsi-ld:District:${at}`, name, box: [10 + at * 0.01, 50, 10.01 + at * 0.01, 50.01] }));

function quarter() {
  const benches = Array.from({ length: 15 }, (_, at) => ({
    id: `urn:ngsi-ld:Bench:${at}`,
    type: "Bench",
    seats: number(at + 1),
    // Whoever adds up metres and centimetres is found out.
    length: at === 3 ? number(150, "CMT") : number(1 + at / 4, "MTR"),
    location: place({ type: "Point", coordinates: [10.0012 + at * 0.0012, 50.0051] }),
  }));
  const huts = [0.004, 0.013].map((east, at) => ({
    id: `urn:ngsi-ld:Hut:${at}`, type: "Hut", floors: number(2 + at), location: place(square(10 + east, 50.002, 0.001)),
  }));
  const areas = districts.map(({ id, name, box }) => ({ id, type: "District", name: { type: "Property", value: name }, location: place(square(box[0], box[1], 0.01)) }));
  return [...benches, ...huts, ...areas, { id: "urn:ngsi-ld:Note:1", type: "Note", text: { type: "Property", value: "no place" } }];
}

/** Many small areas that cover the districts. */
const plots = Array.from({ length: 150 }, (_, at) => ({
  id: `urn:ngsi-ld:Plot:${at}`, type: "Plot", location: place(square(10 + (at % 15) * 0.002, 50 + Math.floor(at / 15) * 0.002, 0.002)),
}));

before(() => upsert([...quarter(), ...plots], { "NGSILD-Tenant": "panels" }));

const at = "#map=14.5/50.00500/10.00700";
const open = (t, hash, options = {}) => look(t, { path: tenant, hash: `${at}&${hash}`, ...options });

/** What lies in a box, from plain items: counts, and for each number and unit its figures. */
async function expected(type, box) {
  const answer = await fetch(`${server}${tenant}/ogc/collections/${type}/items?limit=1000&bbox=${box.join(",")}`);
  const { features } = await answer.json();
  const numbers = {};
  for (const { properties } of features) {
    for (const [name, value] of Object.entries(properties)) {
      if (typeof value !== "number") continue;
      (numbers[`${name} ${properties[`${name}__unitCode`] ?? ""}`] ??= []).push(value);
    }
  }
  const figures = Object.fromEntries(Object.entries(numbers).map(([key, values]) => {
    const sum = values.reduce((sum, value) => sum + value, 0);
    return [key, { sum, mean: sum / values.length, min: Math.min(...values), max: Math.max(...values) }];
  }));
  return { count: features.length, figures };
}

/** The same as the page shows it. */
async function shown(page, type) {
  const row = page.locator(`[data-figures=${type}]`);
  await row.waitFor();
  return row.evaluate((row) => ({
    count: Number(row.querySelector("[data-count]").dataset.count),
    figures: Object.fromEntries([...row.querySelectorAll("[data-number]")].map((line) => [
      `${line.dataset.number} ${line.dataset.unit}`,
      Object.fromEntries([...line.querySelectorAll("[data-figure]")].map(({ dataset }) => [dataset.figure, Number(dataset.value)])),
    ])),
  }));
}

function assertClose(found, wanted) {
  assert.equal(found.count, wanted.count);
  assert.deepEqual(Object.keys(found.figures).sort(), Object.keys(wanted.figures).sort());
  for (const [key, figures] of Object.entries(wanted.figures)) {
    for (const [figure, value] of Object.entries(figures)) assert.ok(Math.abs(found.figures[key][figure] - value) < 1e-9, `${key} ${figure}: ${found.figures[key][figure]} is not ${value}`);
  }
}

const areaOf = (page) => new URLSearchParams(new URL(page.url()).hash.slice(1)).get("area") ?? "";
const hasArea = (page, kind) => page.waitForFunction((kind) => new RegExp(`area=${kind}:`).test(location.hash), kind);
/** Where a place is on the screen. */
const onScreen = (page, lng, lat) => page.evaluate(([lng, lat]) => document.querySelector(".map").map.project([lng, lat]), [lng, lat]);
const click = async (page, lng, lat) => {
  const { x, y } = await onScreen(page, lng, lat);
  await page.mouse.move(x, y);
  await page.mouse.click(x, y);
};

/** The places that are used lie beside the panel. */
const east = "#map=14.5/50.00500/9.99800";

test("the figures of a rectangle that is drawn are those of the items in it", async (t) => {
  const { page, seen } = await look(t, { path: tenant, hash: `${east}&panel=areas` });
  await page.getByRole("button", { name: "Rectangle" }).click();
  await click(page, 10.0003, 50.0008);
  await click(page, 10.0107, 50.0077);
  await hasArea(page, "box");
  const box = areaOf(page).replace("box:", "").split(",").map(Number);
  assert.ok(Math.abs(box[0] - 10.0003) < 1e-4 && Math.abs(box[3] - 50.0077) < 1e-4, `${box} is what was drawn`);
  const benches = await expected("Bench", box);
  assert.equal(benches.count, 8);
  assertClose(await shown(page, "Bench"), benches);
  assertClose(await shown(page, "Hut"), await expected("Hut", box));
  assert.doesNotMatch(page.url(), /entity=/, "drawing chooses no entity");
  assert.deepEqual(seen.complaints, []);
});

test("a polygon is closed by Enter, and Escape ends drawing without closing the panel", async (t) => {
  const { page } = await look(t, { path: tenant, hash: `${east}&panel=areas` });
  await page.getByRole("button", { name: "Polygon" }).click();
  await click(page, 10.0003, 50.0008);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Polygon", pressed: false }).waitFor();
  await page.getByRole("heading", { name: "Areas" }).waitFor();
  await page.getByRole("button", { name: "Polygon" }).click();
  for (const [lng, lat] of [[10.0003, 50.0045], [10.0041, 50.0045], [10.0041, 50.0068], [10.0003, 50.0068]]) await click(page, lng, lat);
  await page.keyboard.press("Enter");
  await hasArea(page, "polygon");
  assert.equal(areaOf(page).split(";").length, 4);
  assert.equal((await shown(page, "Bench")).count, 3);
});

test("a box is entered by the keyboard alone, and a link to it shows the same", async (t) => {
  const { page } = await open(t, "panel=areas");
  await page.locator(".box-form summary").focus();
  await page.keyboard.press("Enter");
  for (const [name, value] of [["West", "10.003"], ["South", "50.001"], ["East", "10.002"], ["North", "50.006"]]) await page.getByLabel(name, { exact: true }).fill(value);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("East", { exact: true }).fill("10.008");
  await page.keyboard.press("Enter");
  await hasArea(page, "box");
  const wanted = await expected("Bench", [10.003, 50.001, 10.008, 50.006]);
  assertClose(await shown(page, "Bench"), wanted);
  await page.reload();
  assertClose(await shown(page, "Bench"), wanted);
});

test("a district is taken on the map or from the list", async (t) => {
  const { page } = await look(t, { path: tenant, hash: `${east}&panel=areas` });
  await page.getByRole("button", { name: "Choose on the map" }).click();
  await page.waitForFunction(() => {
    const { map } = document.querySelector(".map");
    return map.getLayer("over choice/0") && map.queryRenderedFeatures({ layers: ["over choice/0"] }).length > 0;
  });
  await click(page, 10.007, 50.008);
  await page.getByRole("region", { name: "West" }).waitFor();
  assertClose(await shown(page, "Bench"), await expected("Bench", districts[0].box));
  await page.getByLabel("Area", { exact: true }).selectOption({ label: "Middle" });
  await page.getByRole("region", { name: "Middle" }).waitFor();
  assert.equal(areaOf(page), `of:District:${districts[1].id}`);
  assertClose(await shown(page, "Bench"), await expected("Bench", districts[1].box));
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByText("Draw an area or choose one").waitFor();
});

/** The rows of a file that was downloaded. */
async function download(page, name) {
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
  return readFile(await file.path(), "utf8");
}

test("the table has a row for each district, and its files the same numbers", async (t) => {
  const { page, seen } = await open(t, "panel=areas&figures=by-area&areas=District&counted=Bench,Hut&shade=Bench:seats::sum");
  await page.locator("[data-area]").first().waitFor();
  assert.deepEqual((await page.locator("tbody [data-area] th").allInnerTexts()).sort(), ["East", "Middle", "West"]);
  const [head, ...lines] = (await download(page, "CSV")).trimEnd().split("\r\n").map((line) => line.split(","));
  const rows = lines.map((line) => Object.fromEntries(head.map((name, at) => [name, line[at]])));
  const { features } = JSON.parse(await download(page, "GeoJSON"));
  assert.equal(rows.length, 3);
  for (const { id, name, box } of districts) {
    const [row, feature] = [rows.find((row) => row.id === id), features.find((feature) => feature.id === id)];
    const benches = await expected("Bench", box);
    assert.equal(row.name, name);
    assert.equal(Number(row["Bench.count"]), benches.count);
    assert.equal(row["Bench.seats.sum"], String(benches.figures["seats "]?.sum ?? ""));
    assert.equal(row["Bench.length.MTR.max"], String(benches.figures["length MTR"]?.max ?? ""));
    assert.equal(String(feature.properties["Bench.seats.sum"] ?? ""), row["Bench.seats.sum"]);
    const cell = (measure) => page.locator(`[data-area="${id}"] [data-measure="${measure}"]`).innerText();
    assert.equal(await cell("Bench:count"), row["Bench.count"]);
    assert.equal(await cell("Bench:seats::sum"), row["Bench.seats.sum"] || "–");
  }
  await page.getByText("The question behind this").click();
  const table = await fetch(await page.getByRole("region", { name: "CSV" }).innerText());
  assert.equal(table.status, 200);
  assert.match(await table.text(), /Bench\.seats\.sum/);
  assert.deepEqual(seen.complaints, []);
});

test("areas that are too many for one question of GraphQL have their figures all the same", async (t) => {
  const { page } = await open(t, "panel=areas&figures=by-area&areas=Plot&counted=Bench&shade=Bench:seats::sum");
  await page.locator("[data-area]").first().waitFor();
  assert.equal(await page.locator("[data-area]").count(), plots.length);
  const whole = await page.locator("tfoot td").first().innerText();
  assert.equal(whole, "120", "the seats of all benches");
});

test("the table is sorted by a click, the map shaded, and a link restores both", async (t) => {
  const { page } = await open(t, "panel=areas&figures=by-area&areas=District&counted=Bench,Hut");
  const names = () => page.locator("tbody [data-area] th").allInnerTexts();
  await page.locator("[data-area]").first().waitFor();
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await page.locator("th[aria-sort=ascending]", { hasText: "Name" }).waitFor();
  assert.deepEqual(await names(), ["East", "Middle", "West"]);
  await page.getByLabel("Shade by").selectOption("Bench:seats::mean");
  await page.locator("th[aria-sort=descending]", { hasText: "mean" }).waitFor();
  assert.deepEqual(await names(), ["Middle", "West", "East"]);
  const shades = () => page.evaluate(() => Object.fromEntries(document.querySelector(".map").map.querySourceFeatures("over shades").map(({ properties }) => [properties.id, properties.colour])));
  await page.waitForFunction(() => document.querySelector(".map").map.querySourceFeatures("over shades").some(({ properties }) => properties.colour));
  const colours = await shades();
  assert.equal(new Set([colours[districts[0].id], colours[districts[1].id]]).size, 2);
  assert.equal(colours[districts[2].id], undefined, "without benches there is no mean");
  assert.match(await page.locator(".shade-legend").innerText(), /seats, mean[^]*no value/);
  await page.reload();
  await page.locator("[data-area]").first().waitFor();
  assert.deepEqual(await names(), ["Middle", "West", "East"]);
  await page.getByRole("button", { name: "West" }).click();
  await page.getByRole("region", { name: "West" }).waitFor();
});

test("every address of the page for other programs answers, and what it says to run runs", async (t) => {
  const { page } = await open(t, "panel=use&layer=Bench");
  const addresses = await page.locator("[data-address]").evaluateAll((all) => all.map(({ dataset }) => dataset.address));
  const links = await page.locator(".faces a").evaluateAll((all) => all.map(({ href }) => href));
  assert.ok(addresses.length === 4 && links.length >= 7, `${addresses.length} ${links.length}`);
  for (const address of [...addresses, ...links]) {
    assert.ok(address.startsWith(`${server}${tenant}/`), address);
    const answer = await fetch(address.replace("{z}/{y}/{x}", "0/0/0"), { headers: { Accept: "text/html, */*;q=0.8" } });
    assert.equal(answer.status, 200, address);
  }
  const said = async (name) => page.getByRole("region", { name }).innerText();
  await page.getByRole("button", { name: "JavaScript" }).click();
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", await said("All features, page by page")]);
  assert.match(stdout, /^15 /);
  await page.getByRole("button", { name: "Command line" }).click();
  const shell = async (name) => JSON.parse((await run("sh", ["-c", await said(name)])).stdout);
  assert.ok((await shell("Features in a box")).features.length > 0);
  assert.equal((await shell("Entities"))[0].type, "Bench");
  assert.equal((await shell("Counts and figures")).data.aggregate[0].count, 15);
  await page.getByLabel("Layer", { exact: true }).selectOption("Hut");
  assert.match(page.url(), /layer=Hut/);
  assert.match(await said("Entities"), /type=Hut/);
});

const ago = (seconds) => new Date(Date.now() - seconds * 1000).toISOString();
const source = (name, more) => ({
  name, kind: "url", state: "running", lastRecord: ago(2), rate: 1.5, taken: 40, unchanged: 0, late: 0, skipped: 0, quarantined: 0, failures: 0, errors: 0, lastError: null, quarantine: 0, nextAttempt: null, simulated: false, ...more,
});

/** A server with two sources, one of which has trouble; what is changed there is noted. */
function troubled() {
  const changes = [];
  let records = [
    { source: "bikes", record: 411, offset: 88213, line: 412, reason: "station 412 has no position", at: ago(60), feature: '{"type":"Feature","geometry":null,"properties":{}}' },
    { source: "bikes", record: 5, offset: 90, reason: "not UTF-8 at byte 14", at: ago(60), hex: "ff00e2", is_cut: true },
  ];
  const routes = (page) => page.route(/\/sources(\/[\w-]+\/quarantine(\/replay)?)?(\?.*)?$/, (route) => {
    const request = route.request();
    const { pathname } = new URL(request.url());
    if (request.method() !== "GET") {
      changes.push(`${request.method()} ${pathname.replace(/^.*\/sources/, "/sources")}`);
      if (request.method() === "POST") {
        records = records.slice(1);
        return route.fulfill({ json: { records: 2, taken: 1, created: 1, updated: 0, unchanged: 0, late: 0, quarantined: 0, released: 1 } });
      }
      const removed = records.length;
      records = [];
      return route.fulfill({ json: { removed } });
    }
    if (pathname.endsWith("/quarantine")) return route.fulfill({ json: { source: "bikes", total: records.length, offset: 0, limit: 20, records } });
    const failing = { kind: "gbfs", state: "failing", failures: 3, errors: 5, quarantined: 2, quarantine: records.length, nextAttempt: ago(-30), lastError: { message: "connection refused", at: ago(10) } };
    return route.fulfill({ json: [source("trams"), source("bikes", failing)] });
  });
  return { routes, changes };
}

/** The page with answers for `/sources` in place before anything is asked. */
async function openSources(t, routes, options) {
  const { page, seen } = await open(t, "panel=data", options);
  await routes(page);
  await page.getByRole("button", { name: "Sources" }).click();
  return { page, seen };
}

test("a source is shown with its state, and its quarantine is tried again and discarded after asking", async (t) => {
  const { routes, changes } = troubled();
  const { page } = await openSources(t, routes);
  const bikes = page.locator("[data-source=bikes]");
  await bikes.waitFor();
  const text = await bikes.innerText();
  for (const wanted of [/failing/, /gbfs/, /2 seconds ago|3 seconds ago|4 seconds ago/, /connection refused/, /in \d+ seconds/, /2\s+in quarantine/]) assert.match(text, wanted);
  await bikes.getByRole("button", { name: /in quarantine/ }).click();
  await bikes.getByText("station 412 has no position").waitFor();
  assert.match(await bikes.innerText(), /Record 411 · line 412, byte 88,213/);
  assert.match(page.url(), /quarantine=bikes/);
  await bikes.getByRole("button", { name: "Discard all" }).click();
  await bikes.getByRole("button", { name: "Cancel" }).click();
  assert.deepEqual(changes, []);
  const confirmed = async (name) => {
    await bikes.getByRole("button", { name }).click();
    await bikes.getByRole("alertdialog").getByRole("button", { name }).click();
  };
  await confirmed("Try all again");
  await bikes.getByText("1 of 2 were taken in.").waitFor();
  await bikes.getByText("station 412 has no position").waitFor({ state: "detached" });
  await confirmed("Discard all");
  await bikes.getByText("not UTF-8 at byte 14").waitFor({ state: "detached" });
  assert.deepEqual(changes, ["POST /sources/bikes/quarantine/replay", "DELETE /sources/bikes/quarantine"]);
});

test("without sources, or a server that tells of them, the page says what to do", async (t) => {
  let answer = { json: [] };
  const { page } = await openSources(t, (page) => page.route(/\/sources$/, (route) => route.fulfill(answer)));
  await page.getByText("This twin has no sources").waitFor();
  await page.getByRole("region", { name: "cardo.toml" }).waitFor();
  answer = { status: 404, json: { title: "there is nothing at this address" } };
  await page.getByText("This server does not tell of its sources").waitFor();
  await page.getByText("takes writes").waitFor();
});

const PANELS = {
  "an area": ["panel=areas&area=box:10.001,50.001,10.009,50.009", "[data-figures=Bench]"],
  "areas": ["panel=areas&figures=by-area&areas=District&counted=Bench,Hut&shade=Bench:seats::sum", "[data-area]"],
  "use in QGIS": ["panel=use&layer=Bench", ".steps"],
  "use on a web map": ["panel=use&layer=Bench&in=map", ".code"],
  "sources": ["panel=sources&quarantine=bikes", ".quarantine li"],
};

/** Opens a panel with its content, in the page that is there. */
async function show(page, [hash, content]) {
  await page.evaluate((hash) => (location.hash = hash), `${at}&${hash}`);
  await page.locator(content).first().waitFor();
}

for (const dark of [false, true]) {
  test(`axe finds nothing wrong with these panels in the ${dark ? "dark" : "light"}`, async (t) => {
    const { page } = await open(t, "panel=data", { dark });
    await troubled().routes(page);
    for (const [name, panel] of Object.entries(PANELS)) {
      await show(page, panel);
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      assert.deepEqual(violations.map(({ id, nodes }) => `${name}: ${id}: ${nodes.map(({ html }) => html).join(" | ")}`), []);
    }
  });
}

test("on a phone nothing of these panels is wider than the screen", async (t) => {
  const { page } = await open(t, "panel=data", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await troubled().routes(page);
  for (const [name, panel] of Object.entries(PANELS)) {
    await show(page, panel);
    const widths = await page.evaluate(() => [document.documentElement, document.querySelector(".panel-body")].map(({ scrollWidth }) => scrollWidth));
    assert.ok(widths.every((width) => width <= 390), `${name}: ${widths}`);
  }
});
