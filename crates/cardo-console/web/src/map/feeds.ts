/**
 * Fills the sources of the map: by tile where a layer is large, else with the features of the view,
 * asked for once and again when the view leaves what was loaded. What is under way is given up when
 * it is no longer wanted.
 */
import type { Feature, FeatureCollection } from "geojson";
import type { GeoJSONSource, Map as MapLibre, VectorTileSource } from "maplibre-gl";
import { createStore } from "../app/store.ts";
import { getJson, url } from "../data/http.ts";
import type { Box } from "../data/twin.ts";
import type { Layer } from "./plan.ts";
import { grown, isEnough, meets } from "./region.ts";
import { FROM_ZOOM, isGround } from "./roles.ts";
import { middleOf } from "./middle.ts";
import { seenMixed } from "./seen.ts";
import { GROUND, namesId, sourceId } from "./spec.ts";

/** How a layer is: shown in full, in part, too far away, under way, or failed. */
export interface LayerState {
  state: "loading" | "whole" | "part" | "far" | "failed";
  error?: unknown;
}

export const layerStates = createStore<Readonly<Record<string, LayerState>>>({});

/** Features of one answer. */
const LIMIT = 3_000;
/** How much more than what is seen is asked for, at each side. */
const MARGIN = 0.35;

const NOTHING = { type: "FeatureCollection" as const, features: [] };

interface Answer extends FeatureCollection {
  numberMatched?: number;
}

interface Feed {
  layer: Layer;
  loaded: { box: Box; isWhole: boolean } | undefined;
  features: Map<string, Feature>;
  asking: AbortController | undefined;
  isWaiting: boolean;
}

/** Takes the features of a type that moves. */
export type TakeMoving = (layer: Layer, features: Feature[]) => void;

export class Feeds {
  private readonly feeds = new Map<string, Feed>();
  private ground: string | undefined;

  constructor(
    private readonly map: MapLibre,
    private readonly takeMoving: TakeMoving,
    private readonly dropSource: (source: string) => void,
  ) {}

  /** Makes the sources that the layers need. */
  plan(layers: readonly Layer[]): void {
    const wanted = new Map(layers.map((layer) => [layer.type.name, layer]));
    for (const [name, feed] of this.feeds) {
      const next = wanted.get(name);
      if (!next || next.from !== feed.layer.from || next.isClustered !== feed.layer.isClustered) this.end(name, feed);
    }
    for (const layer of layers) {
      const feed = this.feeds.get(layer.type.name);
      if (feed) feed.layer = layer;
      else this.begin(layer);
    }
    this.planGround(layers.filter((layer) => layer.from === "tiles" && isGround(layer.role)));
    this.look();
  }

  /** The source of the parts of the ground, made anew when they are others. */
  private planGround(parts: readonly Layer[]): void {
    const address = groundTiles(parts);
    if (address === this.ground) return;
    this.dropSource(GROUND);
    if (this.map.getSource(GROUND)) this.map.removeSource(GROUND);
    if (address) this.map.addSource(GROUND, { type: "vector", tiles: [address], promoteId: "id", minzoom: 8, maxzoom: 17 });
    this.ground = address;
  }

  /** Asks for the tiles of the ground again; those that are as they were come from the browser's memory. */
  refreshGround(): void {
    if (this.ground) (this.map.getSource(GROUND) as VectorTileSource | undefined)?.setTiles([this.ground]);
  }

  private begin(layer: Layer): void {
    const id = sourceId(layer.type.name);
    if (layer.from === "tiles" && !isGround(layer.role)) this.map.addSource(id, tileSource(layer.type.name));
    else if (layer.from === "items") {
      const clusters = layer.isClustered ? { cluster: true, clusterRadius: 38, clusterMaxZoom: 14 } : {};
      this.map.addSource(id, { type: "geojson", data: NOTHING, promoteId: "id", ...clusters });
      if (layer.role === "district") this.map.addSource(namesId(layer.type.name), { type: "geojson", data: NOTHING });
    }
    this.feeds.set(layer.type.name, { layer, loaded: undefined, features: new Map(), asking: undefined, isWaiting: false });
  }

  private end(name: string, feed: Feed): void {
    feed.asking?.abort();
    this.feeds.delete(name);
    for (const id of [sourceId(name), namesId(name)]) {
      this.dropSource(id);
      if (this.map.getSource(id)) this.map.removeSource(id);
    }
  }

  /** Asks for what the view needs and is not there. */
  look(): void {
    const { _sw, _ne } = this.map.getBounds();
    const seen: Box = [Math.max(_sw.lng, -180), Math.max(_sw.lat, -90), Math.min(_ne.lng, 180), Math.min(_ne.lat, 90)];
    for (const feed of this.feeds.values()) {
      const { layer } = feed;
      const isNear = this.map.getZoom() >= FROM_ZOOM[layer.role] - 0.5;
      const isWanted = layer.isVisible && isNear && (!layer.type.extent || meets(layer.type.extent, seen) || layer.from === "moving");
      if (layer.from === "tiles") note(layer, { state: isNear ? "whole" : "far" });
      else if (!isWanted) {
        feed.asking?.abort();
        note(layer, { state: isNear ? "whole" : "far" });
      } else if (!isEnough(feed.loaded, seen)) void this.load(feed, grown(seen, MARGIN));
    }
  }

  /** Asks everything again that is on the map. */
  refresh(): void {
    this.refreshGround();
    for (const [name, feed] of this.feeds) {
      if (feed.layer.from === "tiles") (this.map.getSource(sourceId(name)) as VectorTileSource | undefined)?.setTiles(tileSource(name).tiles);
      else feed.loaded = undefined;
    }
    this.look();
  }

  private async load(feed: Feed, box: Box): Promise<void> {
    feed.asking?.abort();
    const asking = new AbortController();
    feed.asking = asking;
    note(feed.layer, { state: "loading" });
    const { name } = feed.layer.type;
    const question = new URLSearchParams({ bbox: box.map((number) => number.toFixed(6)).join(","), limit: String(LIMIT) });
    try {
      const path = `ogc/collections/${encodeURIComponent(name)}/items?${question}`;
      const answer = await getJson<Answer>(path, asking.signal, "application/geo+json");
      if (asking.signal.aborted) return;
      const isWhole = (answer.numberMatched ?? 0) <= answer.features.length;
      feed.loaded = { box, isWhole };
      this.fill(feed, answer.features.filter((feature) => feature.geometry).map(withId));
      note(feed.layer, { state: isWhole ? "whole" : "part" });
    } catch (error) {
      if (!asking.signal.aborted) note(feed.layer, { state: "failed", error });
    } finally {
      if (feed.asking === asking) feed.asking = undefined;
    }
  }

  private fill(feed: Feed, features: Feature[]): void {
    if (feed.layer.from === "moving") {
      this.takeMoving(feed.layer, features);
      return;
    }
    const { isClustered, type } = feed.layer;
    if (isClustered && features.some(({ geometry }) => geometry.type !== "Point")) seenMixed.set(new Set([...seenMixed.get(), type.name]));
    feed.features = new Map(features.map((feature) => [String(feature.id), feature]));
    this.draw(feed);
  }

  private draw(feed: Feed): void {
    const { name } = feed.layer.type;
    const features = [...feed.features.values()];
    const fill = (id: string, features: Feature[]) =>
      (this.map.getSource(id) as GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features });
    fill(sourceId(name), features);
    if (feed.layer.role === "district") fill(namesId(name), features.map(middleOf));
  }

  /** A feature that was loaded. */
  get(type: string, id: string): Feature | undefined {
    return this.feeds.get(type)?.features.get(id);
  }

  layerOf(type: string): Layer | undefined {
    return this.feeds.get(type)?.layer;
  }

  /** Replaces a feature, or takes it away; many at once are drawn once. */
  replace(type: string, id: string, feature: Feature | undefined): void {
    const feed = this.feeds.get(type);
    if (!feed) return;
    if (feature) feed.features.set(id, feature);
    else if (!feed.features.delete(id)) return;
    if (feed.isWaiting) return;
    feed.isWaiting = true;
    setTimeout(() => {
      feed.isWaiting = false;
      if (this.feeds.get(type) === feed) this.draw(feed);
    }, 100);
  }

  close(): void {
    for (const feed of this.feeds.values()) feed.asking?.abort();
  }
}

function tileSource(type: string) {
  const address = url(`ogc/collections/${encodeURIComponent(type)}/tiles/WebMercatorQuad`);
  return { type: "vector" as const, tiles: [`${address}/{z}/{y}/{x}`], promoteId: "id", minzoom: 0, maxzoom: 18 };
}

/** Columns that the ground is drawn with, of whatever type has them. */
const DRAWN = /^(name|name__[a-z]{2}|class|roadClass|roadType|highway|landUse|railwayType|height|floorsAboveGround)$/;

/** Where tiles of all these types are, each with no more than is drawn of it. */
function groundTiles(parts: readonly Layer[]): string | undefined {
  if (parts.length === 0) return undefined;
  const columns = parts.flatMap(({ type, classes }) => {
    const drawn = type.columns.map((column) => column.name).filter((name) => DRAWN.test(name));
    return classes ? [...drawn, classes.column] : drawn;
  });
  const list = (names: string[]) => [...new Set(names)].sort().map(encodeURIComponent).join(",");
  const question = `collections=${list(parts.map(({ type }) => type.name))}&properties=${list(["id", ...columns])}`;
  return `${url("ogc/tiles/WebMercatorQuad")}/{z}/{y}/{x}?${question}`;
}

/** MapLibre knows a feature with a text as its id only by a property. */
const withId = (feature: Feature): Feature => ({ ...feature, properties: { ...feature.properties, id: feature.id } });

function note(layer: Layer, state: LayerState): void {
  const all = layerStates.get();
  const { name } = layer.type;
  if (all[name]?.state === state.state && state.state !== "failed") return;
  layerStates.set({ ...all, [name]: state });
}
