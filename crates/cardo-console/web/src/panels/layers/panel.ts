import type { Panel } from "../registry.ts";

export const panel: Panel = {
  id: "layers",
  icon: "layers",
  words: { en: { title: "Map" }, fi: { title: "Kartta" }, sv: { title: "Karta" } },
  load: () => import("./Layers.tsx"),
};
