/**
 * Takes the pictures of the README from a running demonstration city:
 *
 *     cargo run --release -- demo &
 *     npm run screenshots
 *
 * `pngquant` (apt install pngquant) makes them small.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { drawn, launch } from "./browser.mjs";

const server = process.env.CARDO_URL ?? "http://127.0.0.1:8787";
const folder = fileURLToPath(new URL("../../screenshots/", import.meta.url));
const desk = { width: 1280, height: 800 };
const phone = { width: 390, height: 780 };
const senate = "map=15.60/60.17000/24.94900/-18/48";

const PICTURES = [
  { name: "map-light", view: desk, hash: "#map=15.25/60.17050/24.94450/-18/48" },
  { name: "map-dark", view: desk, dark: true, hash: `#${senate}&entity=urn:ngsi-ld:BikeHireDockingStation:hsl-014` },
  { name: "layers", view: desk, hash: "#map=13.20/60.17020/24.93500&panel=layers&show=PopulationCell&hide=PublicTransportStop&by=PopulationCell:population" },
  { name: "questions", view: desk, hash: "#map=15.40/60.17050/24.94200&panel=questions&filter=Building/floorsAboveGround:ge:6/@view/@by:height:desc" },
  { name: "areas", view: desk, hash: "#map=11.60/60.19000/24.91500&panel=areas&figures=by-area&areas=District&counted=PopulationCell,Tree,Building&shade=PopulationCell:population::sum" },
  { name: "entity", view: desk, dark: true, hash: "#map=15.20/60.17000/24.94000/-18/45&entity=urn:ngsi-ld:WeatherObserved:fmi-101004" },
  { name: "phone", view: phone, hash: "#map=15.20/60.17060/24.94300/-18/45&panel=layers", isPhone: true },
];

mkdirSync(folder, { recursive: true });
const browser = await launch();
for (const { name, view, hash, dark, isPhone } of PICTURES) {
  const touch = isPhone ? { isMobile: true, hasTouch: true, deviceScaleFactor: 2 } : {};
  const context = await browser.newContext({ viewport: view, locale: "en-GB", colorScheme: dark ? "dark" : "light", ...touch });
  const page = await context.newPage();
  await page.goto(`${server}/${hash}`);
  await drawn(page);
  await page.waitForSelector(".live[data-state=live]");
  // News have come for a while, so that the rate says something.
  await page.waitForFunction(() => /[1-9]/.test(document.querySelector(".live-rate")?.textContent ?? ""));
  await page.waitForTimeout(2_000);
  await page.screenshot({ path: `${folder}${name}.png` });
  await context.close();
  execFileSync("pngquant", ["--force", "--ext", ".png", "--speed", "1", "--strip", `${folder}${name}.png`]);
  console.log(`${name}.png`);
}
await browser.close();
