import { expect, test } from "vitest";
import { pattern } from "./search.ts";

test("what is typed is looked for as it is", () => {
  expect(pattern("a.b (c)")).toBe("(?i)a\\.b \\(c\\)");
  expect(pattern('say "x"')).toBe("(?i)say .x.");
});
