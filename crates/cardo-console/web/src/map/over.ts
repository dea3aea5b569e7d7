/** What a panel draws over the map while it is open, below the names. */
import type { FeatureCollection } from "geojson";
import type { GeoJSONSource, LayerSpecification, Map } from "maplibre-gl";
import { useEffect } from "react";
import { useStore } from "../app/store.ts";
import { mapHandle } from "./handle.ts";
import { overId } from "./spec.ts";

type Paint = Record<string, unknown>;

/** A layer of an overlay; its source is the overlay's. */
export interface OverLayer {
  type: "fill" | "line" | "circle";
  paint: Paint;
  filter?: unknown;
}

/** Draws features, or nothing where there are none. Layers keep their number and types. */
export function useOverlay(name: string, data: FeatureCollection | undefined, layers: readonly OverLayer[]): void {
  const map = useStore(mapHandle);
  const id = overId(name);
  useEffect(() => {
    if (!map || !data) return;
    map.addSource(id, { type: "geojson", data: { type: "FeatureCollection", features: [] }, promoteId: "id" });
    return () => {
      if (mapHandle.get() !== map) return;
      for (const layer of map.getStyle().layers) if ("source" in layer && layer.source === id) map.removeLayer(layer.id);
      map.removeSource(id);
    };
    // Whether there is anything counts here, and not what.
  }, [map, id, data === undefined]);
  useEffect(() => {
    if (map && data) (map.getSource(id) as GeoJSONSource | undefined)?.setData(data);
  }, [map, id, data]);
  const key = JSON.stringify(layers);
  useEffect(() => {
    if (!map || !data) return;
    (JSON.parse(key) as OverLayer[]).forEach((layer, at) => place(map, id, `${id}/${at}`, layer));
  }, [map, id, key, data === undefined]);
}

function place(map: Map, source: string, id: string, layer: OverLayer): void {
  if (!map.getLayer(id)) {
    const names = map.getStyle().layers.find(({ type }) => type === "symbol")?.id;
    map.addLayer({ id, source, ...layer } as unknown as LayerSpecification, names);
    return;
  }
  for (const [name, value] of Object.entries(layer.paint)) map.setPaintProperty(id, name as never, value as never);
  if (layer.filter) map.setFilter(id, layer.filter as never);
}
