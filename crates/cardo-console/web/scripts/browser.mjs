/** Chromium without a window, which draws maps in software. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function launch() {
  const executablePath = PLACES.find((place) => place && existsSync(place));
  if (!executablePath) throw new Error("Chromium is missing: apt install chromium, or name it in CHROMIUM");
  return chromium.launch({
    executablePath,
    args: ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--no-sandbox", "--font-render-hinting=none"],
  });
}

/** Waits until the map has drawn everything that it asked for. */
export async function drawn(page) {
  await page.waitForFunction(() => {
    const map = document.querySelector(".map")?.map;
    return map?.isStyleLoaded() && map.areTilesLoaded() && map.getStyle().layers.length > 3;
  }, undefined, { timeout: 30_000, polling: 100 });
}
