/** The muted tones of the ground, so that data carry the colour. */
import type { Theme } from "../app/theme.ts";

const light = {
  ground: "#f4f0ea", landuse: "#efeae3", civic: "#f1e9e1", grass: "#e1e8d3", scrub: "#dae3cb", pitch: "#dce8d6", sand: "#f1e9d6",
  green: "#d8e4c8", water: "#bdd3dd", waterEdge: "#a9c3cf", casing: "#ddd3c8", road: "#ffffff", street: "#fdfbf8", path: "#ddd2c6",
  rail: "#b8aca1", building: "#e4dbd1", buildingEdge: "#d2c6ba", wall: "#e0d6cb", tree: "#a9c190", district: "#a3907e",
  moving: undefined as string | undefined, label: "#6a5e54", halo: "#f8f4ef", waterLabel: "#4d7688", point: "#ffffff",
};

const dark: typeof light = {
  ground: "#191715", landuse: "#1d1b18", civic: "#211d1a", grass: "#1d231a", scrub: "#1c2319", pitch: "#1e2620", sand: "#24211b",
  green: "#1d2719", water: "#1a2b35", waterEdge: "#24404e", casing: "#141210", road: "#433c36", street: "#332e2a", path: "#35302b",
  rail: "#5a5048", building: "#2b2723", buildingEdge: "#3a342f", wall: "#2b2622", tree: "#3f5433", district: "#7d6c5d",
  moving: "#cfe3f2", label: "#b3a699", halo: "#191715", waterLabel: "#6f9db3", point: "#191715",
};

export type Tones = typeof light;
export const TONES: Record<Theme, Tones> = { light, dark };
