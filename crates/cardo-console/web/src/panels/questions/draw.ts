/** Areas and places that are shown on the map with the hand. */
import type { Position } from "geojson";
import type { Map as MapLibre, MapMouseEvent } from "maplibre-gl";
import { mapHandle, mapIsBusy } from "../../map/handle.ts";

/** Ends what was begun. */
export type Stop = () => void;

const isEscape = (event: KeyboardEvent) => event.key === "Escape";

function busy(map: MapLibre, ended: () => void): Stop {
  mapIsBusy.set(true);
  map.getCanvas().style.cursor = "crosshair";
  const escape = (event: KeyboardEvent) => {
    if (!isEscape(event)) return;
    event.preventDefault();
    event.stopPropagation();
    ended();
  };
  window.addEventListener("keydown", escape, true);
  return () => {
    window.removeEventListener("keydown", escape, true);
    map.getCanvas().style.cursor = "";
    // The click that ended it is no click on what lies there.
    setTimeout(() => mapIsBusy.set(false), 300);
  };
}

/** The next place that is clicked. */
export function pickPlace(taken: (at: [number, number]) => void, ended: () => void): Stop {
  const map = mapHandle.get();
  if (!map) return ended;
  const take = ({ lngLat }: MapMouseEvent) => {
    taken([lngLat.lng, lngLat.lat]);
    ended();
  };
  map.on("click", take);
  const free = busy(map, ended);
  return () => {
    map.off("click", take);
    free();
  };
}

/** A polygon that is drawn corner by corner. */
export async function drawRing(taken: (ring: Position[]) => void, ended: () => void): Promise<Stop> {
  const map = mapHandle.get();
  if (!map) return ended;
  const [{ TerraDraw, TerraDrawPolygonMode }, { TerraDrawMapLibreGLAdapter }] = await Promise.all([
    import("terra-draw"),
    import("terra-draw-maplibre-gl-adapter"),
  ]);
  const accent = getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() as `#${string}`;
  const styles = {
    fillColor: accent, fillOpacity: 0.08, outlineColor: accent, outlineWidth: 2,
    closingPointColor: accent, closingPointWidth: 5, closingPointOutlineColor: "#ffffff" as const, closingPointOutlineWidth: 2,
  };
  const draw = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map }), modes: [new TerraDrawPolygonMode({ styles })] });
  draw.start();
  draw.setMode("polygon");
  draw.on("finish", (id) => {
    const drawn = draw.getSnapshotFeature(id);
    if (drawn?.geometry.type === "Polygon") taken(drawn.geometry.coordinates[0]!.slice(0, -1));
    // It is being told of while it still has to finish.
    queueMicrotask(ended);
  });
  const free = busy(map, ended);
  return () => {
    if (draw.enabled) draw.stop();
    free();
  };
}
