import type { Panel } from "../registry.ts";

export const panel: Panel = {
  id: "questions",
  icon: "question",
  words: { en: { title: "Questions" }, fi: { title: "Kyselyt" }, sv: { title: "Frågor" } },
  load: () => import("./Questions.tsx"),
};
