import type { Panel } from "../registry.ts";

export const panel: Panel = {
  id: "sources",
  icon: "source",
  words: { en: { title: "Sources" }, fi: { title: "Lähteet" }, sv: { title: "Källor" } },
  isWide: true,
  load: () => import("./Sources.tsx"),
};
