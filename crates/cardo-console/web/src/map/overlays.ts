/** The layers of data: points, lines and areas of a type, what moves, and what is chosen. */
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification } from "maplibre-gl";
import { at } from "./ground.ts";
import { hasPicture } from "./pictures.ts";
import { colour } from "./colour.ts";
import { colourOf } from "./palette.ts";
import type { Layer } from "./plan.ts";
import { CHOSEN, FONT, MOVING, type Placed } from "./spec.ts";
import type { Look } from "./look.ts";

const isPoint: ExpressionSpecification = ["==", ["geometry-type"], "Point"];
const isLine: ExpressionSpecification = ["==", ["geometry-type"], "LineString"];
const isArea: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];
const isAlone: ExpressionSpecification = ["all", isPoint, ["!", ["has", "point_count"]], ["!", ["has", "cardo:count"]]];

/** Features that changed since their tile was made are drawn from elsewhere. */
const unlessReplaced = (opacity: number): ExpressionSpecification =>
  ["case", ["boolean", ["feature-state", "replaced"], false], 0, opacity];

const radius = ["interpolate", ["linear"], ["zoom"], 10, 2.5, 13, 4, 15, 6.5, 16, 10, 18, 12] as unknown as DataDrivenPropertyValueSpecification<number>;

/** The layers of a type that is not a part of the ground. */
export function dataLayers(layer: Layer, look: Look): Placed[] {
  const { tones } = look;
  const fill = colour(layer, tones.rail);
  const areas: Placed[] = [
    at(20, layer, { id: "area", type: "fill", filter: isArea, paint: { "fill-color": fill, "fill-opacity": unlessReplaced(layer.classes ? 0.6 : 0.16) } }),
    at(60, layer, {
      id: "edge", type: "line", filter: ["any", isArea, isLine],
      paint: { "line-color": fill, "line-opacity": unlessReplaced(0.85), "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.8, 16, 2] },
    }),
  ];
  const points: Placed[] = [
    at(70, layer, {
      // Below, tiles of many points are a shade.
      id: "point", type: "circle", filter: isAlone, ...(layer.from === "tiles" ? { minzoom: 12 } : {}),
      paint: {
        "circle-color": fill, "circle-radius": radius, "circle-stroke-color": tones.point,
        "circle-opacity": unlessReplaced(1), "circle-stroke-opacity": unlessReplaced(1),
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 11, 0.6, 15, 1.6],
      },
    }),
  ];
  if (hasPicture(layer.type.name) && !layer.classes) points.push(picture(layer));
  points.push(named(layer, look));
  if (layer.isClustered) points.push(...clusters(layer, look));
  if (layer.from === "tiles") points.push(density(layer), merged(layer, look));
  return [...areas, ...points];
}

function picture(layer: Layer): Placed {
  return at(71, layer, {
    id: "picture", type: "symbol", minzoom: 15.5, filter: isAlone,
    layout: {
      "icon-image": `picture/${layer.type.name}`, "icon-allow-overlap": true, "icon-ignore-placement": true,
      "icon-size": ["interpolate", ["linear"], ["zoom"], 15.5, 0.72, 18, 1],
    },
    paint: { "icon-opacity": unlessReplaced(1) },
  });
}

function named(layer: Layer, { tones, name }: Look): Placed {
  return at(85, layer, {
    id: "name", type: "symbol", minzoom: 15.5, filter: ["all", isAlone, ["has", "name"]],
    layout: {
      "text-field": name, "text-font": FONT, "text-size": 11, "text-anchor": "top", "text-offset": [0, 1.15], "text-max-width": 8,
      "text-optional": true,
    },
    paint: { "text-color": tones.label, "text-halo-color": tones.halo, "text-halo-width": 1.4, "text-opacity": unlessReplaced(1) },
  });
}

function clusters(layer: Layer, { tones }: Look): Placed[] {
  const size = ["interpolate", ["linear"], ["sqrt", ["get", "point_count"]], 1, 9, 6, 15, 30, 28] as unknown as DataDrivenPropertyValueSpecification<number>;
  const own = colourOf(layer.type.name);
  return [
    at(72, layer, {
      id: "cluster", type: "circle", filter: ["has", "point_count"],
      paint: { "circle-color": own, "circle-opacity": 0.88, "circle-radius": size, "circle-stroke-color": tones.point, "circle-stroke-width": 2 },
    }),
    at(73, layer, {
      id: "count", type: "symbol", filter: ["has", "point_count"],
      layout: { "text-field": ["get", "point_count_abbreviated"], "text-font": FONT, "text-size": 11.5, "text-allow-overlap": true },
      paint: { "text-color": "#ffffff", "text-halo-color": own, "text-halo-width": 0.6 },
    }),
  ];
}

/** Pixels around a point that it shades: more than a cell in which tiles merge points. */
const SHADE = 22;

/** How strongly a point shades at a zoom level, so that a layer is about a fifth of its colour on average. */
function intensity({ type, count }: Layer, zoom: number): number {
  const [west, south, east, north] = type.extent ?? [0, 0, 1, 1];
  const scale = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const pixels = ((512 * 2 ** zoom) / 360) ** 2 * Math.max((east - west) * (north - south), 1e-9) / scale;
  // A point adds 2πσ² of its peak of 0.4 to the sum over all pixels, with σ a third of its radius.
  const shade = 2 * Math.PI * (SHADE / 3) ** 2 * 0.4;
  return Math.min((0.2 * pixels) / (Math.max(count, 1) * shade), 4);
}

/** Many points from afar are a shade, not a haystack. */
function density(layer: Layer): Placed {
  const own = colourOf(layer.type.name);
  return at(69, layer, {
    id: "density", type: "heatmap", maxzoom: 13, filter: isPoint,
    paint: {
      "heatmap-weight": ["coalesce", ["get", "cardo:count"], 1],
      "heatmap-radius": SHADE,
      "heatmap-intensity": ["interpolate", ["exponential", 4], ["zoom"], 4, intensity(layer, 4), 14, intensity(layer, 14)],
      "heatmap-opacity": ["interpolate", ["linear"], ["zoom"], 12, 0.85, 13, 0],
      "heatmap-color": ["interpolate", ["linear"], ["heatmap-density"], 0, `${own}00`, 0.12, `${own}38`, 0.45, `${own}8c`, 0.8, `${own}d8`, 1, own],
    },
  });
}

/** Where a tile stands one point for many, it is larger the more they are. */
function merged(layer: Layer, { tones }: Look): Placed {
  const size = ["interpolate", ["linear"], ["sqrt", ["get", "cardo:count"]], 1, 3, 10, 9] as unknown as DataDrivenPropertyValueSpecification<number>;
  return at(68, layer, {
    id: "merged", type: "circle", minzoom: 12.5, filter: ["all", isPoint, ["has", "cardo:count"]],
    paint: { "circle-color": layer.classes ? tones.rail : colourOf(layer.type.name), "circle-opacity": 0.55, "circle-radius": size, "circle-stroke-color": tones.point, "circle-stroke-width": 1 },
  });
}

/** What moves: a disc with a nose in the direction of travel, paler the longer nothing was heard of it. */
export function movingLayers(layers: readonly Layer[], { tones, name }: Look): Placed[] {
  const visible = layers.filter((layer) => layer.isVisible && (layer.from === "moving" || layer.role === "data")).map((layer) => layer.type.name);
  const shown: ExpressionSpecification = ["all", isPoint, ["in", ["get", "~type"], ["literal", visible]]];
  const others: ExpressionSpecification = ["all", ["!", isPoint], ["in", ["get", "~type"], ["literal", visible]]];
  return [
    {
      order: 61,
      layer: {
        id: "moving/edge", type: "line", source: MOVING, filter: others,
        paint: { "line-color": ["get", "~colour"], "line-width": 2 },
      },
    },
    {
      order: 92,
      layer: {
        id: "moving/disc", type: "symbol", source: MOVING, filter: shown,
        layout: {
          "icon-image": ["case", ["has", "~heading"], ["concat", "nose/", ["get", "~colour"]], ["concat", "disc/", ["get", "~colour"]]],
          "icon-rotate": ["coalesce", ["get", "~heading"], 0], "icon-rotation-alignment": "map", "icon-pitch-alignment": "viewport",
          "icon-allow-overlap": true, "icon-ignore-placement": true,
          "icon-size": ["interpolate", ["linear"], ["zoom"], 10, 0.4, 13, 0.6, 16, 1],
        },
        paint: { "icon-opacity": ["coalesce", ["get", "~fade"], 1] },
      },
    },
    {
      order: 93,
      layer: {
        id: "moving/name", type: "symbol", source: MOVING, minzoom: 14, filter: shown,
        layout: { "text-field": name, "text-font": FONT, "text-size": 11.5, "text-anchor": "top", "text-offset": [0, 1.25], "text-optional": true },
        paint: { "text-color": tones.moving ?? ["get", "~colour"], "text-halo-color": tones.halo, "text-halo-width": 1.6, "text-opacity": ["coalesce", ["get", "~fade"], 1] },
      },
    },
  ];
}

/** A ring or an outline around what is chosen. */
export function chosenLayers(accent: string, halo: string, id: string | undefined): Placed[] {
  const ring = { "circle-color": "rgba(0,0,0,0)", "circle-radius": 15, "circle-stroke-width": 3, "circle-stroke-color": accent };
  return [
    { order: 90, layer: { id: "chosen/halo", type: "line", source: CHOSEN, filter: ["!", isPoint], paint: { "line-color": halo, "line-width": 6, "line-opacity": 0.8 } } },
    { order: 91, layer: { id: "chosen/edge", type: "line", source: CHOSEN, filter: ["!", isPoint], paint: { "line-color": accent, "line-width": 3 } } },
    { order: 94, layer: { id: "chosen/ring", type: "circle", source: CHOSEN, filter: isPoint, paint: ring } },
    { order: 95, layer: { id: "chosen/moving", type: "circle", source: MOVING, filter: ["all", isPoint, ["==", ["get", "id"], id ?? ""]], paint: ring } },
  ];
}
