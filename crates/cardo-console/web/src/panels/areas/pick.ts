/** Areas on the map that answer to the pointer. */
import type { Feature, FeatureCollection } from "geojson";
import type { Map, MapMouseEvent } from "maplibre-gl";
import { useEffect, useMemo, useRef, useState } from "react";
import { useStore } from "../../app/store.ts";
import { useTheme } from "../../app/theme.ts";
import { mapHandle } from "../../map/handle.ts";
import { useOverlay, type OverLayer } from "../../map/over.ts";
import { clicks } from "../../map/pick.ts";
import { overId } from "../../map/spec.ts";
import { ACCENT } from "./outline.ts";
import type { Place } from "./places.ts";

export interface Pointed {
  id: string;
  x: number;
  y: number;
}

/** Makes the areas of an overlay answer: says which the pointer is at, and takes clicks on them. */
export function usePointed(overlay: string, isOn: boolean, choose: (id: string) => void): Pointed | undefined {
  const map = useStore(mapHandle);
  const [pointed, setPointed] = useState<Pointed>();
  const chosen = useRef(choose);
  chosen.current = choose;
  useEffect(() => {
    if (!map || !isOn) return;
    const look = ({ point }: MapMouseEvent) => {
      const id = areaAt(map, overlay, point.x, point.y);
      map.getCanvas().style.cursor = id ? "pointer" : "";
      setPointed(id ? { id, x: point.x, y: point.y } : undefined);
    };
    const leave = () => setPointed(undefined);
    map.on("mousemove", look);
    map.on("mouseout", leave);
    clicks.set(({ point }) => {
      const id = areaAt(map, overlay, point.x, point.y);
      if (id) chosen.current(id);
    });
    return () => {
      map.off("mousemove", look);
      map.off("mouseout", leave);
      clicks.set(undefined);
      setPointed(undefined);
      if (mapHandle.get() === map) map.getCanvas().style.cursor = "";
    };
  }, [map, overlay, isOn]);
  return pointed;
}

function areaAt(map: Map, overlay: string, x: number, y: number): string | undefined {
  const layer = `${overId(overlay)}/0`;
  const [feature] = map.getLayer(layer) ? map.queryRenderedFeatures([x, y], { layers: [layer] }) : [];
  return feature ? String(feature.properties["id"]) : undefined;
}

/** Marks one area of an overlay as `at`, for its layers to draw otherwise. */
export function useMarked(overlay: string, id: string | undefined): void {
  const map = useStore(mapHandle);
  useEffect(() => {
    const source = overId(overlay);
    if (!map || id === undefined || !map.getSource(source)) return;
    map.setFeatureState({ source, id }, { at: true });
    return () => {
      if (mapHandle.get() === map && map.getSource(source)) map.setFeatureState({ source, id }, { at: false });
    };
  }, [map, overlay, id]);
}

export const isMarked = ["boolean", ["feature-state", "at"], false];

const OVERLAY = "choice";

/** Shows areas to choose from, as long as there are any. */
export function usePicking(places: readonly Place[] | undefined, choose: (id: string) => void, stop: () => void): void {
  const colour = ACCENT[useTheme()];
  const data = useMemo<FeatureCollection | undefined>(
    () => places && { type: "FeatureCollection", features: places.map(({ id, geometry }): Feature => ({ type: "Feature", geometry, properties: { id } })) },
    [places],
  );
  const layers: OverLayer[] = [
    { type: "fill", paint: { "fill-color": colour, "fill-opacity": ["case", isMarked, 0.22, 0.04] } },
    { type: "line", paint: { "line-color": colour, "line-width": ["case", isMarked, 2, 1], "line-opacity": 0.8 } },
  ];
  useOverlay(OVERLAY, data, layers);
  const pointed = usePointed(OVERLAY, places !== undefined, choose);
  useMarked(OVERLAY, pointed?.id);
  const isOn = places !== undefined;
  useEffect(() => {
    if (!isOn) return;
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      stop();
    };
    window.addEventListener("keydown", escape, true);
    return () => window.removeEventListener("keydown", escape, true);
  }, [isOn, stop]);
}
