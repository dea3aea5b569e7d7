import type { Panel } from "../registry.ts";

export const panel: Panel = {
  id: "use",
  icon: "use",
  words: { en: { title: "Use" }, fi: { title: "Käyttö" }, sv: { title: "Använd" } },
  isWide: true,
  load: () => import("./Use.tsx"),
};
