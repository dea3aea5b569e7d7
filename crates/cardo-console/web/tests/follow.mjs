/** A browser that follows a question and says what it hears, a line each, until it is ended. */
import { launch } from "../scripts/browser.mjs";

const [server] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage();
await page.goto(`${server}/health`);
await page.exposeFunction("say", (line) => console.log(line));
await page.evaluate(() => {
  const events = new EventSource("/ngsi-ld/v1/stream?type=Sample&pick=id,a&format=keyValues");
  events.onopen = () => globalThis.say("open");
  events.onmessage = ({ data }) => {
    for (const { a } of JSON.parse(data).data) globalThis.say(String(a));
  };
});
