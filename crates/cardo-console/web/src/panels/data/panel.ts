import type { Panel } from "../registry.ts";

export const panel: Panel = {
  id: "data",
  icon: "data",
  words: { en: { title: "Data" }, fi: { title: "Tiedot" }, sv: { title: "Data" } },
  load: () => import("./Data.tsx"),
};
