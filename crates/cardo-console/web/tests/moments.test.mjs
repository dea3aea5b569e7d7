import assert from "node:assert/strict";
import { isAt, look, move, test, town, tram, upsert } from "./city.mjs";

test("the map shows the city as of a moment, with the same view, and as it is again", async (t) => {
  await upsert(town());
  // The field has seconds, so the city waits for the next one.
  const past = Math.ceil((Date.now() + 1) / 1_000) * 1_000;
  while (Date.now() <= past) await new Promise((later) => setTimeout(later, past - Date.now() + 1));
  await move(tram, 10.003, 50.0012);
  const { page, seen } = await look(t, { timezoneId: "UTC" });
  await isAt(page, tram, 10.003, 50.0012);
  await page.fill(".time input", new Date(past).toISOString().slice(0, 19));
  await page.click(".time [type=submit]");
  await page.waitForURL(/\/at\/[^/]+\/#map=15/);
  await isAt(page, tram, 10.001, 50.001);
  await page.waitForSelector(".live[data-state=past]");
  await page.click(".time-now");
  await page.waitForURL(/:\d+\/#map=15/);
  await isAt(page, tram, 10.003, 50.0012);
  assert.deepEqual(seen.complaints, []);
});
