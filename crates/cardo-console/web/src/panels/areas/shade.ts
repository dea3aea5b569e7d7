/** Areas shaded by a figure. */
import type { Feature, FeatureCollection } from "geojson";
import { useMemo } from "react";
import { useTheme } from "../../app/theme.ts";
import { useOverlay, type OverLayer } from "../../map/over.ts";
import { classBreaks, classColours } from "../../map/palette.ts";
import { valueOf, type Figure, type Measure, type Row } from "./measure.ts";
import { isMarked, useMarked, usePointed, type Pointed } from "./pick.ts";

export interface ShadeClass {
  colour: string;
  from: number;
  /** Where the next class begins; the last one holds its end. */
  to: number;
  /** How many areas are in it. */
  count: number;
}

export interface Shades {
  measure: Measure;
  classes: ShadeClass[];
  /** How many areas have nothing, where that is no value among others. */
  zero: number;
  /** How many areas have no value. */
  without: number;
  features: FeatureCollection;
}

/** Of these figures 0 says that there is nothing, and most areas may have nothing. */
const AMOUNTS: readonly Figure[] = ["count", "density", "sum"];

/** Classes of about equal size, and each area in its own; areas with nothing are apart. */
export function shadesOf(rows: readonly Row[], measure: Measure): Shades {
  const values = rows.map((row) => valueOf(row, measure));
  const isZero = (value: number | undefined) => value === 0 && AMOUNTS.includes(measure.figure);
  const known = values.filter((value): value is number => value !== undefined && !isZero(value));
  const breaks = classBreaks(known);
  const classOf = (value: number) => breaks.filter((at) => value >= at).length;
  const bounds = [Math.min(...known), ...breaks, Math.max(...known)];
  const classes = known.length === 0 ? [] : classColours(breaks.length).map((colour, at) => ({
    colour,
    from: bounds[at]!,
    to: bounds[at + 1]!,
    count: known.filter((value) => classOf(value) === at).length,
  }));
  const shadeOf = (value: number | undefined) => {
    if (isZero(value)) return { zero: true };
    return value === undefined ? {} : { colour: classes[classOf(value)]!.colour };
  };
  const features = rows.map(({ place }, at): Feature => ({ type: "Feature", geometry: place.geometry, properties: { id: place.id, ...shadeOf(values[at]) } }));
  return {
    measure,
    classes,
    zero: values.filter(isZero).length,
    without: values.filter((value) => value === undefined).length,
    features: { type: "FeatureCollection", features },
  };
}

const OVERLAY = "shades";

/** Shades the map; says which area the pointer is at. */
export function useShades(shades: Shades | undefined, marked: string | undefined, open: (id: string) => void): Pointed | undefined {
  const isDark = useTheme() === "dark";
  const edge = isDark ? "#171513" : "#ffffff";
  const ink = isDark ? "#efe9e3" : "#26211d";
  const none = isDark ? "#82776d" : "#978d84";
  const nothing = isDark ? "#39332e" : "#e5ded6";
  const layers: OverLayer[] = useMemo(() => [
    { type: "fill", paint: { "fill-color": ["case", ["has", "zero"], nothing, ["coalesce", ["get", "colour"], "rgba(0,0,0,0)"]], "fill-opacity": ["case", isMarked, 0.85, 0.66] } },
    { type: "line", paint: { "line-color": ["case", isMarked, ink, ["has", "colour"], edge, none], "line-width": ["case", isMarked, 2.5, 1] } },
  ], [edge, ink, none, nothing]);
  useOverlay(OVERLAY, shades?.features, layers);
  const pointed = usePointed(OVERLAY, shades !== undefined, open);
  useMarked(OVERLAY, pointed?.id ?? marked);
  return pointed;
}
