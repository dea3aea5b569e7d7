import type { Panel } from "../registry.ts";

export const panel: Panel = {
  id: "areas",
  icon: "area",
  words: { en: { title: "Areas" }, fi: { title: "Alueet" }, sv: { title: "Områden" } },
  isWide: true,
  load: () => import("./Areas.tsx"),
};
