import assert from "node:assert/strict";
import { drawn } from "../scripts/browser.mjs";
import { isAt, look, test, town, tram, upsert } from "./city.mjs";

const token = process.env.CARDO_TOKEN;

test("a server that wants to know who asks gets a token, for everything the page does", async (t) => {
  await upsert(town(), { Authorization: `Bearer ${token}` });
  const sheet = (page) => page.getByRole("dialog", { name: "Sign in" }).waitFor();
  const { page } = await look(t, { ready: sheet });
  await page.getByLabel("Token").fill("cardo_wrong");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Token").fill(token);
  await page.keyboard.press("Enter");
  await drawn(page);
  await isAt(page, tram, 10.001, 50.001);
  await page.waitForSelector(".live[data-state=live]");
  assert.equal(await page.getByRole("dialog").count(), 0);
});
