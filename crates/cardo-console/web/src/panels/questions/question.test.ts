import { expect, test } from "vitest";
import { blank, isWhole, readQuestion, writeQuestion, type Question } from "./question.ts";
import { readView, writeView, nowhere } from "../../app/view.ts";

const questions: Question[] = [
  blank("Building"),
  {
    type: "Building",
    conditions: [
      { column: "height", operator: "ge", values: ["20"] },
      { column: "name", operator: "in", values: ["Kahvila, bar: 50/50", "@home", "100 %", "Töölö & Co"] },
      { column: "roofShape", operator: "missing", values: [""] },
    ],
    area: { kind: "near", at: [24.9414, 60.1719], distance: 500 },
    order: { column: "height", isDown: true },
    first: 200,
  },
  { ...blank("Tree"), area: { kind: "view" } },
  { ...blank("Tree"), area: { kind: "polygon", ring: [[24.9, 60.1], [25, 60.1], [25, 60.2]] } },
];

test("a question survives the address of the page, whatever its texts hold", () => {
  for (const question of questions) {
    const fragment = writeView({ ...nowhere, filter: writeQuestion(question) });
    expect(readQuestion(readView(fragment).filter!)).toEqual(question);
  }
});

test("the address stays legible", () => {
  expect(writeView({ ...nowhere, filter: writeQuestion(questions[2]!) })).toBe("#filter=Tree/@view");
});

test("what is no part of a question is passed over", () => {
  expect(readQuestion("")).toBeUndefined();
  expect(readQuestion("Tree/height:like:2/@near:1,b:3/@polygon:1,2/@first:7/@x/%E0%A4")).toEqual(blank("Tree"));
});

test("a condition without what it compares with is none yet", () => {
  const condition = (operator: "ge" | "exists", value: string) => ({ column: "a", operator, values: [value] });
  expect(isWhole(condition("ge", ""), "number")).toBe(false);
  expect(isWhole(condition("ge", "tall"), "number")).toBe(false);
  expect(isWhole(condition("ge", "-1.5e2"), "number")).toBe(true);
  expect(isWhole(condition("ge", "yesterday"), "moment")).toBe(false);
  expect(isWhole(condition("ge", "2026-11-27T12:00"), "moment")).toBe(true);
  expect(isWhole(condition("exists", ""), "text")).toBe(true);
});
