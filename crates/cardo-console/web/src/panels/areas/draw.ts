/** Drawing an area on the map with the pointer. */
import type { Polygon, Position } from "geojson";
import { useEffect, useRef } from "react";
import { TerraDraw, TerraDrawCircleMode, TerraDrawPolygonMode, TerraDrawRectangleMode } from "terra-draw";
import { TerraDrawMapLibreGLAdapter } from "terra-draw-maplibre-gl-adapter";
import { useStore } from "../../app/store.ts";
import { boxOf, mapHandle } from "../../map/handle.ts";
import { clicks } from "../../map/pick.ts";
import { overId } from "../../map/spec.ts";
import { boxArea, distance, type Area } from "./area.ts";

export type Tool = "polygon" | "rectangle" | "circle";

/** Draws with a tool until an area is done or `cancel` is called, by Escape among others. */
export function useDrawing(tool: Tool | undefined, colour: string, done: (area: Area) => void, cancel: () => void): void {
  const map = useStore(mapHandle);
  const on = useRef({ done, cancel });
  on.current = { done, cancel };
  useEffect(() => {
    if (!map || !tool) return;
    const draw = new TerraDraw({
      adapter: new TerraDrawMapLibreGLAdapter({ map, prefixId: overId("drawing"), coordinatePrecision: 7 }),
      modes: modes(colour as `#${string}`),
    });
    draw.start();
    draw.setMode(tool);
    draw.on("finish", (id) => {
      const drawn = draw.getSnapshotFeature(id);
      const area = drawn?.geometry.type === "Polygon" ? areaOf(tool, drawn.geometry as Polygon) : undefined;
      // The drawing is still at work when it says this.
      queueMicrotask(() => (area ? on.current.done(area) : on.current.cancel()));
    });
    const nobody = () => undefined;
    clicks.set(nobody);
    const stop = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      on.current.cancel();
    };
    window.addEventListener("keydown", stop, true);
    return () => {
      window.removeEventListener("keydown", stop, true);
      // The click that ends a drawing comes after it has ended.
      const release = () => clicks.get() === nobody && clicks.set(undefined);
      window.addEventListener("pointerdown", release, { once: true, capture: true });
      if (mapHandle.get() === map) draw.stop();
    };
  }, [map, tool, colour]);
}

function modes(colour: `#${string}`) {
  const fill = { fillColor: colour, fillOpacity: 0.14, outlineColor: colour, outlineWidth: 2 };
  const points = { closingPointColor: colour, closingPointOutlineColor: "#ffffff" as const, closingPointWidth: 5, closingPointOutlineWidth: 2 };
  return [
    new TerraDrawPolygonMode({ styles: { ...fill, ...points } }),
    new TerraDrawRectangleMode({ styles: fill }),
    new TerraDrawCircleMode({ styles: fill }),
  ];
}

function areaOf(tool: Tool, { coordinates }: Polygon): Area | undefined {
  const ring = coordinates[0] ?? [];
  if (tool === "polygon") return { kind: "polygon", ring: ring.slice(0, -1) };
  const box = boxOf({ type: "Polygon", coordinates: [ring] });
  if (tool === "rectangle") return boxArea(box);
  const centre = middle(box);
  const radius = distance(centre, ring.reduce((east, place) => (place[0]! > east[0]! ? place : east)));
  return radius > 0 ? { kind: "circle", centre, radius } : undefined;
}

/** The middle of a box on the map, on which north is stretched. */
function middle([west, south, east, north]: [number, number, number, number]): [number, number] {
  const y = (lat: number) => Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360));
  const lat = (Math.atan(Math.exp((y(south) + y(north)) / 2)) * 360) / Math.PI - 90;
  return [(west + east) / 2, lat] satisfies Position as [number, number];
}
