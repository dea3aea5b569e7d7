import { expect, test } from "vitest";
import { homeOf, momentOf } from "./http.ts";

test("the address of a page says which moment it shows", () => {
  const at = "https://city.example/twin/at/2026-01-31T12:00:00Z/";
  expect(momentOf(at)).toBe("2026-01-31T12:00:00Z");
  expect(momentOf(at.replaceAll("12:00:00", "12%3A00%3A00"))).toBe("2026-01-31T12:00:00Z");
  expect(homeOf(at)).toBe("https://city.example/twin/");
  expect(momentOf("https://city.example/twin/")).toBeUndefined();
  expect(homeOf("https://city.example/")).toBe("https://city.example/");
});
