import { expect, test } from "vitest";
import { lookOf } from "./look.ts";

test("names are in the reader's language, else as the server prefers them, else nothing", () => {
  expect(lookOf("light", "sv").name).toEqual(["coalesce", ["get", "name__sv"], ["get", "name"], ""]);
});
