/** The layers of the ground: land, water, streets, rails, buildings, and their names. */
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { colour } from "./colour.ts";
import type { Layer } from "./plan.ts";
import type { Look } from "./look.ts";
import { FONT, namesId, type Placed, sourceOf } from "./spec.ts";

/** What kind of thing a feature is, by whichever attribute says so. */
const kind: ExpressionSpecification = [
  "to-string",
  ["coalesce", ["get", "roadClass"], ["get", "class"], ["get", "roadType"], ["get", "highway"], ["get", "landUse"], ["get", "railwayType"], ""],
];

const zoomed = (...stops: number[]): DataDrivenPropertyValueSpecification<number> =>
  ["interpolate", ["exponential", 1.5], ["zoom"], ...stops] as unknown as DataDrivenPropertyValueSpecification<number>;

const among = (...kinds: string[]): ExpressionSpecification => ["in", kind, ["literal", kinds]];
const isLine: ExpressionSpecification = ["==", ["geometry-type"], "LineString"];
const isArea: ExpressionSpecification = ["==", ["geometry-type"], "Polygon"];

const PATHS = ["footway", "path", "steps", "cycleway", "pedestrian", "trail", "platform", "corridor", "elevator", "bridleway", "track"];
const LARGE = ["motorway", "trunk", "primary", "secondary", "motorway_link", "trunk_link", "primary_link", "secondary_link"];

function land(layer: Layer, { tones }: Look): Placed[] {
  const colour: ExpressionSpecification = [
    "match", kind,
    ["grass", "village_green", "recreation_ground", "meadow", "heath", "farmland"], tones.grass,
    ["scrub", "forest", "wood", "orchard", "wetland"], tones.scrub,
    ["pitch", "playground", "fitness_station", "stadium", "golf_course"], tones.pitch,
    ["sand", "beach", "scree", "bare_rock"], tones.sand,
    ["commercial", "retail", "civil", "institutional", "education", "religious"], tones.civic,
    "rgba(0,0,0,0)",
  ];
  return [at(10, layer, { id: "", type: "fill", filter: isArea, paint: { "fill-color": colour } })];
}

function green(layer: Layer, { tones }: Look): Placed[] {
  return [at(11, layer, { id: "", type: "fill", filter: isArea, paint: { "fill-color": tones.green } })];
}

function water(layer: Layer, { tones }: Look): Placed[] {
  return [
    at(12, layer, { id: "", type: "fill", filter: isArea, paint: { "fill-color": tones.water, "fill-outline-color": tones.waterEdge } }),
    at(13, layer, { id: "line", type: "line", filter: isLine, paint: { "line-color": tones.water, "line-width": zoomed(12, 1, 18, 8) } }),
  ];
}

function rails(layer: Layer, { tones }: Look): Placed[] {
  const width = ["interpolate", ["linear"], ["zoom"], 12, 0.6, 16, 1.4, 19, 2.4] as unknown as DataDrivenPropertyValueSpecification<number>;
  return [
    at(33, layer, {
      id: "", type: "line", filter: isLine,
      paint: { "line-color": tones.rail, "line-width": width, "line-opacity": ["interpolate", ["linear"], ["zoom"], 12, 0.5, 15, 0.85] },
    }),
  ];
}

function roads(layer: Layer, { tones, name }: Look): Placed[] {
  const isPath = among(...PATHS);
  const isLarge = among(...LARGE);
  const streets: ExpressionSpecification = ["all", isLine, ["!", isPath]];
  const round = { "line-cap": "round", "line-join": "round" } as const;
  const width = (more: number): DataDrivenPropertyValueSpecification<number> =>
    ["interpolate", ["exponential", 1.5], ["zoom"],
      12, ["case", isLarge, 1.6 + more, among("service"), 0.2, 0.5],
      15, ["case", isLarge, 6.5 + more, among("service"), 1.8 + more, 3.6 + more],
      18, ["case", isLarge, 26 + more * 2, among("service"), 9 + more * 2, 18 + more * 2],
    ] as unknown as DataDrivenPropertyValueSpecification<number>;
  return [
    at(30, layer, {
      id: "path", type: "line", minzoom: 15, filter: ["all", isLine, isPath],
      paint: { "line-color": tones.path, "line-width": zoomed(15, 0.7, 18, 2.2), "line-dasharray": [2.4, 1.6] },
    }),
    at(31, layer, {
      id: "casing", type: "line", minzoom: 13, filter: streets, layout: round,
      paint: { "line-color": tones.casing, "line-width": width(1.4) },
    }),
    at(32, layer, {
      id: "", type: "line", filter: streets, layout: { ...round, "line-sort-key": ["case", isLarge, 1, 0] },
      paint: { "line-color": ["case", isLarge, tones.road, tones.street], "line-width": width(0) },
    }),
    at(80, layer, {
      id: "name", type: "symbol", minzoom: 14.5, filter: ["all", ["has", "name"], streets],
      layout: {
        "symbol-placement": "line", "text-field": name, "text-font": FONT, "text-letter-spacing": 0.02, "symbol-spacing": 320,
        "text-size": ["interpolate", ["linear"], ["zoom"], 14.5, ["case", isLarge, 11, 10], 18, ["case", isLarge, 14, 12.5]],
      },
      paint: { "text-color": tones.label, "text-halo-color": tones.halo, "text-halo-width": 1.4 },
    }),
  ];
}

/** Metres above the ground, from whatever is known. */
const height: ExpressionSpecification = [
  "case", ["has", "height"], ["to-number", ["get", "height"]],
  ["has", "floorsAboveGround"], ["*", 3.3, ["to-number", ["get", "floorsAboveGround"]]], 9,
];

function buildings(layer: Layer, { tones, name }: Look): Placed[] {
  const flat = layer.classes ? colour(layer, tones.building) : tones.building;
  const wall = layer.classes ? colour(layer, tones.wall) : tones.wall;
  return [
    at(40, layer, {
      id: "", type: "fill", filter: isArea, maxzoom: 15.2,
      paint: { "fill-color": flat, "fill-outline-color": tones.buildingEdge, "fill-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.4, 14.5, 1] },
    }),
    at(41, layer, {
      id: "walls", type: "fill-extrusion", filter: isArea, minzoom: 15,
      paint: {
        "fill-extrusion-color": wall, "fill-extrusion-opacity": 0.92, "fill-extrusion-vertical-gradient": true,
        "fill-extrusion-height": ["interpolate", ["linear"], ["zoom"], 15, 0, 15.6, height],
      },
    }),
    at(81, layer, {
      id: "name", type: "symbol", minzoom: 16.2, filter: ["all", isArea, ["has", "name"]],
      layout: { "text-field": name, "text-font": FONT, "text-size": 11, "text-max-width": 8 },
      paint: { "text-color": tones.label, "text-halo-color": tones.halo, "text-halo-width": 1.3 },
    }),
  ];
}

function trees(layer: Layer, { tones }: Look): Placed[] {
  return [
    at(35, layer, {
      id: "", type: "circle", minzoom: 15, filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": tones.tree, "circle-opacity": 0.75, "circle-pitch-alignment": "map",
        "circle-radius": zoomed(15, 1.2, 18, 7),
      },
    }),
  ];
}

function districts(layer: Layer, { tones, name }: Look): Placed[] {
  return [
    at(50, layer, {
      id: "", type: "line", filter: isArea,
      paint: { "line-color": tones.district, "line-width": ["interpolate", ["linear"], ["zoom"], 10, 0.6, 15, 1.4], "line-dasharray": [4, 2], "line-opacity": 0.55 },
    }),
    named(79, layer, {
      id: "name", type: "symbol", minzoom: 10.5, maxzoom: 16,
      layout: {
        "text-field": name, "text-font": FONT, "text-max-width": 7, "text-letter-spacing": 0.03,
        "text-size": ["interpolate", ["linear"], ["zoom"], 10.5, 10, 14, 13],
      },
      paint: { "text-color": tones.district, "text-halo-color": tones.halo, "text-halo-width": 1.4 },
    }),
  ];
}

/** The same for a label at the middle of areas. */
function named(order: number, layer: Layer, drawn: Drawn): Placed {
  const placed = at(order, layer, drawn);
  return { order, layer: { ...placed.layer, source: namesId(layer.type.name) } as LayerSpecification };
}

type Drawn = LayerSpecification extends infer L ? (L extends { source: string } ? Omit<L, "source" | "source-layer"> : never) : never;

/** A layer of a type at a height of the stack. */
export function at(order: number, of: Layer, drawn: Drawn): Placed {
  const id = drawn.id ? `${of.type.name}/${drawn.id}` : of.type.name;
  const layer = { ...drawn, id, ...sourceOf(of) } as LayerSpecification;
  return { order, layer };
}

/** The layers of a type that is a part of the ground, or of districts. */
export function groundLayers(layer: Layer, look: Look): Placed[] {
  switch (layer.role) {
    case "landuse": return land(layer, look);
    case "green": return green(layer, look);
    case "water": return water(layer, look);
    case "rail": return rails(layer, look);
    case "road": return roads(layer, look);
    case "building": return buildings(layer, look);
    case "tree": return trees(layer, look);
    case "district": return districts(layer, look);
    case "data": return [];
  }
}
