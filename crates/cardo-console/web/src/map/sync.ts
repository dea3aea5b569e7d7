/** Brings the layers of the map to what they should be, changing only what differs. */
import type { LayerSpecification, Map } from "maplibre-gl";
import type { Placed } from "./spec.ts";

type Bag = Record<string, unknown>;

const parts = (layer: LayerSpecification) => layer as unknown as Bag & { layout?: Bag; paint?: Bag; filter?: unknown };
const isSame = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function differing(before: Bag = {}, after: Bag = {}): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSame(before[name], after[name]));
}

/** What stands on a map, and how to bring it to what should. */
export class Stack {
  private standing = new Map_<string, LayerSpecification>();
  private order: string[] = [];

  constructor(private readonly map: Map) {}

  set(placed: readonly Placed[]): void {
    const wanted = [...placed].sort((a, b) => a.order - b.order).map(({ layer }) => layer);
    const ids = new Set(wanted.map((layer) => layer.id));
    for (const id of this.order) if (!ids.has(id)) this.remove(id);
    // From the top down, so that each knows the one above it.
    let above: string | undefined;
    for (const layer of [...wanted].reverse()) {
      this.place(layer, above);
      above = layer.id;
    }
    this.order = wanted.map((layer) => layer.id);
  }

  /** Forgets the layers of a source that is about to go. */
  drop(source: string): void {
    for (const [id, layer] of [...this.standing]) if ("source" in layer && layer.source === source) this.remove(id);
  }

  private remove(id: string): void {
    if (this.map.getLayer(id)) this.map.removeLayer(id);
    this.standing.delete(id);
    this.order = this.order.filter((other) => other !== id);
  }

  private place(layer: LayerSpecification, above: string | undefined): void {
    const before = this.standing.get(layer.id);
    if (before && !isReplaced(before, layer)) this.change(before, layer);
    else {
      if (before) this.remove(layer.id);
      this.map.addLayer(layer, above);
    }
    this.standing.set(layer.id, layer);
  }

  private change(before: LayerSpecification, after: LayerSpecification): void {
    const [was, is] = [parts(before), parts(after)];
    for (const name of differing(was.paint, is.paint)) this.map.setPaintProperty(after.id, name as never, is.paint?.[name] as never);
    for (const name of differing(was.layout, is.layout)) this.map.setLayoutProperty(after.id, name as never, is.layout?.[name] as never);
    if (!isSame(was.filter, is.filter)) this.map.setFilter(after.id, (is.filter ?? null) as never);
  }
}

const Map_ = globalThis.Map;

/** Whether a layer is another in what cannot be changed in place. */
function isReplaced(before: LayerSpecification, after: LayerSpecification): boolean {
  const fixed = ["type", "source", "source-layer", "minzoom", "maxzoom"];
  return fixed.some((name) => !isSame(parts(before)[name], parts(after)[name]));
}
