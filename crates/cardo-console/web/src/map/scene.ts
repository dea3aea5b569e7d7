/** The map with all that is on it: brings layers, features, news and motion together. */
import type { Feature } from "geojson";
import type { GeoJSONSource, Map as MapLibre } from "maplibre-gl";
import { graphql } from "../data/graphql.ts";
import { revision } from "../data/http.ts";
import type { Box } from "../data/twin.ts";
import { Feeds } from "./feeds.ts";
import { groundLayers } from "./ground.ts";
import { isCalm } from "./handle.ts";
import type { Look } from "./look.ts";
import { Moving } from "./moving.ts";
import { Listener, type News } from "./news.ts";
import { chosenLayers, dataLayers, movingLayers } from "./overlays.ts";
import { colourOf } from "./palette.ts";
import { addPictures } from "./pictures.ts";
import type { Layer } from "./plan.ts";
import { headingOf, isGround } from "./roles.ts";
import { seenMoving } from "./seen.ts";
import { CHOSEN, MOVING, sourceId, type Placed } from "./spec.ts";
import { Stack } from "./sync.ts";

/** At most this many pictures a second of what moves. */
const FRAMES = 30;
/** How often the age of things is looked at, when none moves. */
const AGEING = 5_000;
const NOTHING = { type: "FeatureCollection" as const, features: [] };
const ACCENT = { light: "#b4532a", dark: "#e79a76" };

export class Scene {
  private readonly stack: Stack;
  private readonly feeds: Feeds;
  private readonly moving = new Moving();
  private readonly listener: Listener;
  private layers: readonly Layer[] = [];
  private look: Look | undefined;
  private chosen: string | undefined;
  private chosenDrawn = "";
  private frame = 0;
  private lastFrame = 0;
  private ageing: ReturnType<typeof setTimeout> | undefined;
  private looking: ReturnType<typeof setTimeout> | undefined;
  private renewing: ReturnType<typeof setTimeout> | undefined;
  private caughtUp = 0;

  constructor(private readonly map: MapLibre, unknown: () => void) {
    this.stack = new Stack(map);
    this.feeds = new Feeds(map, (layer, features) => this.load(layer, features), (source) => this.stack.drop(source));
    this.listener = new Listener((news) => this.take(news), () => void this.catchUp(), unknown);
    map.addSource(MOVING, { type: "geojson", data: NOTHING, promoteId: "id" });
    map.addSource(CHOSEN, { type: "geojson", data: NOTHING });
    // From the south-west, low, so that walls have a side in the shade.
    map.setLight({ anchor: "map", position: [1.3, 215, 42], intensity: 0.3 });
    map.on("moveend", this.moved);
  }

  close(): void {
    this.map.off("moveend", this.moved);
    cancelAnimationFrame(this.frame);
    clearTimeout(this.ageing);
    clearTimeout(this.looking);
    clearTimeout(this.renewing);
    this.listener.close();
    this.feeds.close();
  }

  /** Shows these layers in this look, and a ring around what is chosen. */
  show(layers: readonly Layer[], look: Look, chosen: Feature | undefined): void {
    const isOther = look.theme !== this.look?.theme;
    this.layers = layers;
    this.look = look;
    this.chosen = chosen && String(chosen.id);
    if (isOther) addPictures(this.map, look.tones.point);
    this.feeds.plan(layers);
    this.stack.set(this.placed(look));
    const isMoving = this.chosen !== undefined && this.moving.get(this.chosen) !== undefined;
    const drawn = JSON.stringify(isMoving || !chosen?.geometry ? NOTHING : { ...NOTHING, features: [chosen] });
    if (drawn !== this.chosenDrawn) this.source(CHOSEN)?.setData(JSON.parse(drawn));
    this.chosenDrawn = drawn;
    this.listen();
  }

  private placed(look: Look): Placed[] {
    const { tones, theme } = look;
    const visible = this.layers.filter((layer) => layer.isVisible && layer.from !== "moving");
    return [
      { order: 0, layer: { id: "ground", type: "background", paint: { "background-color": tones.ground } } },
      ...visible.flatMap((layer) => (layer.role === "data" || (layer.classes && layer.role !== "building") ? dataLayers(layer, look) : groundLayers(layer, look))),
      ...movingLayers(this.layers, look),
      ...chosenLayers(ACCENT[theme], tones.halo, this.chosen),
    ];
  }

  private readonly moved = () => {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => {
      this.feeds.look();
      this.listen();
    }, 120);
  };

  private seen(): Box {
    const bounds = this.map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  private listen(): void {
    if (this.look) this.listener.listen(this.layers, this.seen());
  }

  /** Asks again what may have changed unheard: only if the twin has moved on since. */
  private async catchUp(): Promise<void> {
    try {
      const { revision: now } = await graphql<{ revision: number }>("{ revision }");
      if (now > revision.get()) revision.set(now);
      if (now === this.caughtUp) return;
      this.caughtUp = now;
      this.feeds.refresh();
    } catch {
      // The connection went again; the next one catches up.
    }
  }

  /** Features of a type that moves, all that there are around the view. */
  private load(layer: Layer, features: Feature[]): void {
    const there = new Set(features.map((feature) => String(feature.id)));
    const { name } = layer.type;
    this.moving.forget((thing) => thing.feature.properties?.["~type"] === name && !there.has(thing.id));
    const column = headingOf(layer.type);
    const time = `${layer.type.geometry}__observedAt`;
    for (const feature of features) {
      const properties = feature.properties ?? {};
      const heading = column ? properties[column] : undefined;
      const observedAt = properties[time];
      this.move(layer, feature, typeof heading === "number" ? heading : undefined, typeof observedAt === "string" ? observedAt : undefined);
    }
  }

  private move(layer: Layer, feature: Feature, heading: number | undefined, observedAt: string | undefined): void {
    const { name } = layer.type;
    const before = this.moving.get(String(feature.id))?.feature.properties;
    const properties = { ...before, ...feature.properties, id: feature.id, "~type": name, "~colour": colourOf(name) };
    this.moving.take({ ...feature, properties }, heading, observedAt, performance.now(), !isCalm());
    this.animate();
  }

  private take(news: News): void {
    const { layer, id, geometry, properties } = news;
    const { name } = layer.type;
    if (layer.from === "items") {
      const before = this.feeds.get(name, id);
      if (before && geometry && hasMoved(before, geometry) && layer.role === "data") seenMoving.set(new Set([...seenMoving.get(), name]));
      const feature = geometry && { type: "Feature" as const, id, geometry, properties: { ...before?.properties, ...properties, id } };
      this.feeds.replace(name, id, feature || undefined);
      return;
    }
    if (layer.from === "tiles" && isGround(layer.role)) {
      this.renewGround();
      return;
    }
    if (layer.from === "tiles" && this.map.getSource(sourceId(name))) {
      this.map.setFeatureState({ source: sourceId(name), sourceLayer: name, id }, { replaced: true });
    }
    if (geometry) this.move(layer, { type: "Feature", id, geometry, properties }, news.heading, news.observedAt);
    else if (this.moving.remove(id)) this.animate();
  }

  /** Asks for the ground again, once for all that changes within a moment. */
  private renewGround(): void {
    this.renewing ??= setTimeout(() => {
      this.renewing = undefined;
      this.feeds.refreshGround();
    }, 1_000);
  }

  private source(id: string): GeoJSONSource | undefined {
    return this.map.getSource(id) as GeoJSONSource | undefined;
  }

  /** Draws what moves, as long as something does; and now and then, since things age. */
  private animate(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame((now) => {
      if (now - this.lastFrame < 1000 / FRAMES - 2) {
        this.animate();
        return;
      }
      this.lastFrame = now;
      this.source(MOVING)?.setData(this.moving.drawn(performance.now(), Date.now()));
      if (this.moving.isInMotion(performance.now())) this.animate();
      clearTimeout(this.ageing);
      this.ageing = setTimeout(() => this.animate(), AGEING);
    });
  }
}

function hasMoved(before: Feature, after: Feature["geometry"]): boolean {
  return before.geometry.type === "Point" && JSON.stringify(before.geometry) !== JSON.stringify(after);
}
