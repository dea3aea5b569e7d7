import assert from "node:assert/strict";
import { before } from "node:test";
import AxeBuilder from "@axe-core/playwright";
import { look, server, test, town, tram, upsert } from "./city.mjs";

const HERE = "#map=15.5/50.00200/10.00450";
const cafe = (at, lng, name, more = {}) => ({
  id: `urn:ngsi-ld:Cafe:${at}`, type: "Cafe", name: { type: "Property", value: name }, seats: { type: "Property", value: at, unitCode: "C62" },
  location: { type: "GeoProperty", value: { type: "Point", coordinates: [lng, 50.002] } }, ...more,
});
const NAME = "Töölö \"O'Hara\" & 100 % #1; a|b";

before(async () => {
  await upsert(town());
  await upsert([
    cafe(1, 10.003, NAME), cafe(2, 10.004, NAME), cafe(3, 10.005, "Other"), cafe(4, 11, NAME),
    { id: "urn:ngsi-ld:Waiter:1", type: "Waiter", name: { type: "Property", value: "Ada" }, worksAt: { type: "Relationship", object: "urn:ngsi-ld:Cafe:1" } },
  ]);
});

const open = (t, options = {}) => look(t, { permissions: ["clipboard-read", "clipboard-write"], hash: `${HERE}&panel=questions`, ...options });
const count = (page, wanted) => page.locator(`.answer-count[data-count="${wanted}"]`).waitFor();
const rows = (page) => page.locator(".answer-table tbody tr").evaluateAll((found) => found.map((row) => row.dataset.id).sort());

async function copied(page, face, button = "Copy address") {
  await page.getByRole("radio", { name: face }).check();
  await page.getByRole("button", { name: button }).click();
  return page.evaluate(() => navigator.clipboard.readText());
}

async function json(address, headers = {}) {
  const answer = await fetch(address, { headers: { Accept: "application/json", ...headers } });
  assert.equal(answer.status, 200, `${address} → ${await answer.clone().text()}`);
  return answer.json();
}

test("a question put together by clicks and keys is the same in every face", async (t) => {
  const { page, seen } = await open(t);
  await page.getByRole("combobox", { name: "Which" }).selectOption("Cafe");
  await count(page, 4);
  await page.getByRole("button", { name: "Ask for a value" }).click();
  await page.getByRole("combobox", { name: "Attribute" }).selectOption("name");
  await page.getByLabel("Value", { exact: true }).focus();
  await page.keyboard.type(NAME);
  await count(page, 3);
  await page.getByRole("radio", { name: "In view" }).check();
  await count(page, 2);
  const wanted = ["urn:ngsi-ld:Cafe:1", "urn:ngsi-ld:Cafe:2"];
  assert.deepEqual(await rows(page), wanted);

  const ngsi = await json(await copied(page, "NGSI-LD"));
  assert.deepEqual(ngsi.map(({ id }) => id).sort(), wanted);
  const ogc = await json(await copied(page, "OGC API"), { Accept: "application/geo+json" });
  assert.deepEqual(ogc.features.map(({ id }) => id).sort(), wanted);
  const { data, errors } = await json(await copied(page, "GraphQL"));
  assert.equal(errors, undefined);
  assert.deepEqual(data.cafeList.nodes.map(({ id }) => id).sort(), wanted);
  assert.match(await copied(page, "GraphQL", "Copy as curl"), /^curl -H 'Content-Type: application\/json' -d '\{"query":.*' 'http/);

  const marked = () => page.evaluate(() => [...new Set(document.querySelector(".map").map.queryRenderedFeatures({ layers: ["answer/point"] }).map((found) => found.properties.id))].sort());
  await page.waitForFunction(() => document.querySelector(".map").map.queryRenderedFeatures({ layers: ["answer/point"] }).length >= 2);
  assert.deepEqual(await marked(), wanted);

  await page.reload();
  await count(page, 2);
  assert.deepEqual(await rows(page), wanted);
  assert.deepEqual(seen.complaints, []);
});

test("what OGC API cannot say is said, and no address is offered instead", async (t) => {
  const { page } = await open(t, { hash: `${HERE}&panel=questions&filter=Cafe/seats:ge:3/@near:10.005,50.002:50` });
  await count(page, 1);
  await page.getByRole("radio", { name: "OGC API" }).check();
  await page.getByText("OGC API cannot ask this:").waitFor();
  assert.equal(await page.getByText(/Seats can only be asked to equal one value/).count(), 1);
  assert.equal(await page.getByText(/a distance cannot be said/).count(), 1);
  assert.equal(await page.getByRole("button", { name: "Copy address" }).count(), 0);
  const ngsi = await json(await copied(page, "NGSI-LD"));
  assert.deepEqual(ngsi.map(({ id }) => id), ["urn:ngsi-ld:Cafe:3"]);
});

test("an answer is ordered and walked through with the keyboard", async (t) => {
  const { page } = await open(t, { hash: `${HERE}&panel=questions&filter=Cafe` });
  await count(page, 4);
  await page.getByRole("columnheader", { name: /Seats/ }).getByRole("button").focus();
  await page.keyboard.press("Enter");
  await page.locator('th[aria-sort="descending"]').waitFor();
  await page.locator("tbody tr:first-child[data-id='urn:ngsi-ld:Cafe:4']").waitFor();
  await page.keyboard.press("Enter");
  await page.locator("tbody tr:first-child[data-id='urn:ngsi-ld:Cafe:1']").waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator(".drawer").getByText("urn:ngsi-ld:Cafe:1").waitFor();
  assert.match(page.url(), /@by:seats:asc/);
});

test("an area is drawn on the map, and nothing is chosen by it", async (t) => {
  const { page, seen } = await open(t, { hash: `${HERE}&panel=questions&filter=Cafe` });
  await count(page, 4);
  await page.getByRole("radio", { name: "Drawn" }).check();
  await page.getByText(/Click the corners/).waitFor();
  const at = (lng, lat) => page.evaluate(([lng, lat]) => {
    const { x, y } = document.querySelector(".map").map.project([lng, lat]);
    return [x, y];
  }, [lng, lat]);
  const corners = [[10.0035, 50.0015], [10.0055, 50.0015], [10.0055, 50.0025], [10.0035, 50.0025]];
  await page.waitForFunction(() => document.querySelector(".map").map.getStyle().layers.some(({ id }) => id.startsWith("td-")));
  for (const corner of [...corners, corners[3]]) {
    const [x, y] = await at(...corner);
    await page.mouse.move(x - 8, y - 8);
    await page.mouse.move(x, y, { steps: 4 });
    await page.mouse.click(x, y);
  }
  await count(page, 2);
  assert.deepEqual(await rows(page), ["urn:ngsi-ld:Cafe:2", "urn:ngsi-ld:Cafe:3"]);
  assert.match(page.url(), /@polygon:/);
  assert.doesNotMatch(page.url(), /entity=/);
  assert.deepEqual(seen.complaints, []);
});

test("a place is chosen on the map, and Escape ends the choosing and nothing else", async (t) => {
  const { page } = await open(t, { hash: `${HERE}&panel=questions&filter=Cafe/@near:10.01,50.01:30` });
  await count(page, 0);
  await page.getByRole("button", { name: "Choose on the map" }).click();
  await page.getByText(/Click a place/).waitFor();
  await page.keyboard.press("Escape");
  await page.getByText(/Click a place/).waitFor({ state: "detached" });
  await page.getByRole("heading", { name: "Questions" }).waitFor();
  await page.getByRole("button", { name: "Choose on the map" }).click();
  const { x, y } = await page.evaluate(() => document.querySelector(".map").map.project([10.005, 50.002]));
  await page.mouse.click(x, y);
  await count(page, 1);
  assert.deepEqual(await rows(page), ["urn:ngsi-ld:Cafe:3"]);
  assert.doesNotMatch(page.url(), /entity=/);
});

const speeds = async (values) => {
  for (const [at, value] of values.entries()) {
    const speed = { type: "Property", value, unitCode: "KMH", observedAt: new Date(Date.UTC(2026, 10, 27, 12, 0, at)).toISOString() };
    const answer = await fetch(new URL(`/ngsi-ld/v1/entities/${tram}/attrs`, server), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ speed }) });
    assert.ok(answer.ok, await answer.text());
  }
};

test("the history of what changes is drawn, follows it, and is a table too", async (t) => {
  const { page, seen } = await look(t, { hash: `${HERE}&entity=${tram}` });
  await page.getByRole("heading", { name: "Tram One" }).waitFor();
  await page.waitForSelector(".live[data-state=live]");
  await speeds([10, 20, 30]);
  const chart = page.locator("figure[data-attribute=speed]");
  await chart.locator("canvas").waitFor();
  const slider = chart.getByRole("slider");
  await slider.focus();
  await page.keyboard.press("Home");
  assert.match(await slider.getAttribute("aria-valuetext"), /^10\skm\/h/);
  await chart.getByText("Values as a table").click();
  // What is written last may come last.
  await chart.locator("tbody tr").nth(2).waitFor();
  assert.equal(await chart.locator("tbody tr").count(), 3);
  assert.match(await chart.locator("tbody tr:first-child").innerText(), /30\skm\/h/);
  assert.deepEqual(seen.complaints, []);
});

test("an entity says what it points to and what points to it, and is there in every face", async (t) => {
  const { page, context } = await look(t, { hash: `${HERE}&entity=urn:ngsi-ld:Cafe:1`, permissions: ["clipboard-read", "clipboard-write"] });
  const drawer = page.locator(".drawer");
  await drawer.getByRole("button", { name: "Ada" }).waitFor();
  await drawer.locator(".entity-links a").nth(4).waitFor();
  const addresses = await drawer.locator(".entity-links a").evaluateAll((found) => found.map(({ href }) => href));
  assert.equal(addresses.length, 5, addresses.join(" "));
  for (const address of addresses) {
    const answer = await context.request.get(address, { headers: { Accept: "text/html, application/json;q=0.9, */*;q=0.5" } });
    assert.equal(answer.status(), 200, address);
  }
  await drawer.getByRole("button", { name: /Copy the address: NGSI-LD$/ }).click();
  assert.equal((await json(await page.evaluate(() => navigator.clipboard.readText()))).id, "urn:ngsi-ld:Cafe:1");
  await drawer.getByRole("button", { name: "Ada" }).click();
  await page.getByRole("heading", { name: "Ada" }).waitFor();
  await drawer.getByText("It has no place on the map.").waitFor();
  await drawer.getByRole("button", { name: "Töölö" }).click();
  await page.getByRole("heading", { name: NAME }).waitFor();
});

test("an entity that is deleted stays in sight as what was last known", async (t) => {
  await upsert([cafe(9, 10.006, "Short lived")]);
  const { page } = await look(t, { hash: `${HERE}&entity=urn:ngsi-ld:Cafe:9` });
  await page.getByRole("heading", { name: "Short lived" }).waitFor();
  await page.waitForSelector(".live[data-state=live]");
  await fetch(new URL("/ngsi-ld/v1/entities/urn:ngsi-ld:Cafe:9", server), { method: "DELETE" });
  await page.getByText("It was deleted.").waitFor();
  await page.getByRole("heading", { name: "Short lived" }).waitFor();
});

for (const dark of [false, true]) {
  test(`axe finds nothing wrong with a question and an entity in the ${dark ? "dark" : "light"}`, async (t) => {
    await speeds([10, 20, 30]);
    const { page } = await look(t, { dark, hash: `${HERE}&panel=questions&filter=Kiosk/seats:in:1,2,3/name:has:kiosk/@near:10.0045,50.004:900/@by:seats:desc&entity=${tram}` });
    await count(page, 3);
    await page.locator("figure[data-attribute=speed] canvas").waitFor();
    await page.getByText("Values as a table").first().click();
    for (const face of ["NGSI-LD", "OGC API", "GraphQL"]) {
      await page.getByRole("radio", { name: face }).check();
      const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`), []);
    }
  });
}
