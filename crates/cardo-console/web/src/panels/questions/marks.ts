/** What matches a question, on the map: the rest of the map steps back behind a veil. */
import type { Feature, Position } from "geojson";
import type { GeoJSONSource, LayerSpecification, Map as MapLibre } from "maplibre-gl";
import { useEffect } from "react";
import { useStore } from "../../app/store.ts";
import { useTheme, type Theme } from "../../app/theme.ts";
import { mapHandle } from "../../map/handle.ts";
import { ASKED_AREA as AREA } from "../../map/spec.ts";
import { TONES } from "../../map/tones.ts";
import { closed, type Area } from "./question.ts";

const ACCENT: Record<Theme, string> = { light: "#b4532a", dark: "#e79a76" };
const collection = (features: readonly Feature[]) => ({ type: "FeatureCollection" as const, features: [...features] });

export const answerSource = (type: string) => `answer of ${type}`;

function layers(source: string, theme: Theme): LayerSpecification[] {
  const accent = ACCENT[theme];
  const { ground, point } = TONES[theme];
  return [
    { id: "answer/veil", type: "background", paint: { "background-color": ground, "background-opacity": 0.5 } },
    { id: "answer/within", type: "fill", source: AREA, paint: { "fill-color": accent, "fill-opacity": 0.05 } },
    { id: "answer/border", type: "line", source: AREA, paint: { "line-color": accent, "line-width": 1.5, "line-dasharray": [3, 2] } },
    { id: "answer/area", type: "fill", source, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": accent, "fill-opacity": 0.38 } },
    { id: "answer/edge", type: "line", source, filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": accent, "line-width": ["interpolate", ["linear"], ["zoom"], 12, 1, 17, 2.5] } },
    {
      id: "answer/point", type: "circle", source, filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": accent, "circle-stroke-color": point, "circle-stroke-width": 2,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 10, 3.5, 13, 6, 17, 10],
      },
    },
  ];
}

function clear(map: MapLibre, source: string): void {
  // The map may be gone before its panel.
  if (!map.getStyle()) return;
  for (const layer of layers(source, "light")) if (map.getLayer(layer.id)) map.removeLayer(layer.id);
  for (const id of [source, AREA]) if (map.getSource(id)) map.removeSource(id);
}

/** Brings the answer above all but what is chosen, so that the ring around it stays in sight. */
function raise(map: MapLibre): void {
  const order = map.getLayersOrder();
  const own = order.filter((id) => id.startsWith("answer/"));
  const chosen = order.filter((id) => id.startsWith("chosen/"));
  const wanted = [...order.filter((id) => !own.includes(id) && !chosen.includes(id)), ...own, ...chosen];
  if (wanted.every((id, at) => id === order[at])) return;
  for (const id of [...own, ...chosen]) map.moveLayer(id);
}

/** Shows features and the area that was asked about, as long as the panel is open. */
export function useOnMap(type: string | undefined, features: readonly Feature[] | undefined, area: Area | undefined): void {
  const map = useStore(mapHandle);
  const theme = useTheme();
  const source = type && answerSource(type);
  useEffect(() => {
    if (!map || !source) return;
    for (const id of [source, AREA]) map.addSource(id, { type: "geojson", data: collection([]), promoteId: "id" });
    for (const layer of layers(source, theme)) map.addLayer(layer);
    const rise = () => raise(map);
    rise();
    // Layers that come later would come to lie above.
    map.on("styledata", rise);
    return () => {
      map.off("styledata", rise);
      clear(map, source);
    };
  }, [map, source, theme]);
  useEffect(() => {
    if (map && source) (map.getSource(source) as GeoJSONSource | undefined)?.setData(collection(features ?? []));
  }, [map, source, theme, features]);
  useEffect(() => {
    if (map && source) (map.getSource(AREA) as GeoJSONSource | undefined)?.setData(collection(outline(area)));
  }, [map, source, theme, area]);
}

function outline(area: Area | undefined): Feature[] {
  const ring = area?.kind === "polygon" ? closed(area.ring) : area?.kind === "near" ? circle(area.at, area.distance) : undefined;
  return ring ? [{ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } }] : [];
}

const METRES_A_DEGREE = 111_195;

/** A circle as it looks near a point. */
export function circle([lng, lat]: readonly [number, number], metres: number): Position[] {
  const high = metres / METRES_A_DEGREE;
  const wide = high / Math.max(Math.cos((lat * Math.PI) / 180), 0.01);
  return Array.from({ length: 73 }, (_, at) => {
    const angle = (at % 72) * (Math.PI / 36);
    return [lng + wide * Math.cos(angle), lat + high * Math.sin(angle)];
  });
}
