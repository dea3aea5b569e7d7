/** The looked-at area on the map. */
import type { FeatureCollection, Geometry } from "geojson";
import { useMemo } from "react";
import { useTheme } from "../../app/theme.ts";
import { useOverlay, type OverLayer } from "../../map/over.ts";

export const ACCENT = { light: "#b4532a", dark: "#e79a76" } as const;

export function useAreaOutline(geometry: Geometry | undefined): void {
  const colour = ACCENT[useTheme()];
  const data = useMemo<FeatureCollection | undefined>(
    () => geometry && { type: "FeatureCollection", features: [{ type: "Feature", geometry, properties: { id: "area" } }] },
    [geometry],
  );
  const layers: OverLayer[] = [
    { type: "fill", paint: { "fill-color": colour, "fill-opacity": 0.12 } },
    { type: "line", paint: { "line-color": colour, "line-width": 2 } },
  ];
  useOverlay("area", data, layers);
}
