/** Areas shaded by a figure. */
import type { Feature, FeatureCollection } from "geojson";
import { useMemo } from "react";
import { useTheme } from "../../app/theme.ts";
import { useOverlay, type OverLayer } from "../../map/over.ts";
import { classBreaks, classColours } from "../../map/palette.ts";
import { valueOf, type Measure, type Row } from "./measure.ts";
import { isMarked, useMarked, usePointed, type Pointed } from "./pick.ts";

export interface ShadeClass {
  colour: string;
  /** From this on; absent for the lowest. */
  from: number | undefined;
  below: number | undefined;
  /** How many areas are in it. */
  count: number;
}

export interface Shades {
  measure: Measure;
  classes: ShadeClass[];
  /** How many areas have no value. */
  without: number;
  features: FeatureCollection;
}

/** Classes of about equal size, and each area in its own. */
export function shadesOf(rows: readonly Row[], measure: Measure): Shades {
  const values = rows.map((row) => valueOf(row, measure));
  const known = values.filter((value) => value !== undefined);
  const breaks = known.length > 0 ? classBreaks(known) : [];
  const classOf = (value: number) => breaks.filter((at) => value >= at).length;
  const classes = classColours(breaks.length).map((colour, at) => ({
    colour,
    from: breaks[at - 1],
    below: breaks[at],
    count: known.filter((value) => classOf(value) === at).length,
  }));
  const features = rows.map(({ place }, at): Feature => {
    const value = values[at];
    const colour = value === undefined ? undefined : classes[classOf(value)]?.colour;
    return { type: "Feature", geometry: place.geometry, properties: { id: place.id, ...(colour ? { colour } : {}) } };
  });
  return { measure, classes, without: values.length - known.length, features: { type: "FeatureCollection", features } };
}

const OVERLAY = "shades";

/** Shades the map; says which area the pointer is at. */
export function useShades(shades: Shades | undefined, marked: string | undefined, open: (id: string) => void): Pointed | undefined {
  const isDark = useTheme() === "dark";
  const edge = isDark ? "#171513" : "#ffffff";
  const ink = isDark ? "#efe9e3" : "#26211d";
  const none = isDark ? "#82776d" : "#978d84";
  const layers: OverLayer[] = useMemo(() => [
    { type: "fill", paint: { "fill-color": ["coalesce", ["get", "colour"], "rgba(0,0,0,0)"], "fill-opacity": ["case", isMarked, 0.85, 0.66] } },
    { type: "line", paint: { "line-color": ["case", isMarked, ink, ["has", "colour"], edge, none], "line-width": ["case", isMarked, 2.5, 1] } },
  ], [edge, ink, none]);
  useOverlay(OVERLAY, shades?.features, layers);
  const pointed = usePointed(OVERLAY, shades !== undefined, open);
  useMarked(OVERLAY, pointed?.id ?? marked);
  return pointed;
}
