/** Which entity is meant by a place on the map. */
import type { GeoJSONSource, Map as MapLibre, MapGeoJSONFeature, MapMouseEvent, PointLike } from "maplibre-gl";
import { createStore } from "../app/store.ts";
import { changeView } from "../app/view.ts";
import { isCalm, mapIsBusy } from "./handle.ts";
import { ASKED_AREA, CHOSEN, isOver, MOVING } from "./spec.ts";

/** Fingers and mice are not exact. */
const REACH = 5;

export function at(map: MapLibre, x: number, y: number): MapGeoJSONFeature | undefined {
  const box: [PointLike, PointLike] = [[x - REACH, y - REACH], [x + REACH, y + REACH]];
  const isBeside = ({ source }: MapGeoJSONFeature) => source === CHOSEN || source === ASKED_AREA || isOver(source);
  const near = map.queryRenderedFeatures(box).filter((feature) => !isBeside(feature) && !isHidden(feature));
  const isArea = (feature: MapGeoJSONFeature) => /Polygon/.test(feature.geometry.type);
  const exact = new Set(map.queryRenderedFeatures([x, y]).filter(isArea).map(key));
  // Points and lines are met nearby; areas only where they are.
  return near.find((feature) => !isArea(feature)) ?? near.find((feature) => exact.has(key(feature)));
}

const key = (feature: MapGeoJSONFeature) => `${feature.source} ${String(feature.properties["id"])}`;

const isHidden = (feature: MapGeoJSONFeature) => feature.state["replaced"] === true || feature.layer.type === "heatmap";

export const typeOf = (feature: MapGeoJSONFeature): string =>
  feature.source === MOVING ? String(feature.properties["~type"]) : feature.source.replace(/^(answer )?of /, "");

/** Who takes clicks on the map instead, such as a panel that wants an area. */
export const clicks = createStore<((event: MapMouseEvent) => void) | undefined>(undefined);

export async function click(map: MapLibre, event: MapMouseEvent): Promise<void> {
  if (mapIsBusy.get()) return;
  const other = clicks.get();
  if (other) return other(event);
  const feature = at(map, event.point.x, event.point.y);
  const cluster: unknown = feature?.properties["cluster_id"];
  if (feature && typeof cluster === "number" && feature.geometry.type === "Point") {
    const zoom = await (map.getSource(feature.source) as GeoJSONSource).getClusterExpansionZoom(cluster);
    const center = feature.geometry.coordinates as [number, number];
    map.easeTo({ center, zoom: zoom + 0.2, animate: !isCalm() });
    return;
  }
  const id: unknown = feature?.properties["id"];
  changeView({ entity: typeof id === "string" ? id : undefined });
}
