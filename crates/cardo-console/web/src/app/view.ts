/**
 * The view, which is the fragment of the address and nothing else: whoever opens a link sees what
 * its sender saw.
 *
 *     #map=14.20/60.17000/24.94000/0/0&panel=data&show=Tree&hide=District&by=Building:height&entity=urn:…
 */
import { createStore, useStore } from "./store.ts";

export interface Camera {
  zoom: number;
  lat: number;
  lng: number;
  bearing: number;
  pitch: number;
}

export interface View {
  /** Absent until the map has found its place. */
  camera: Camera | undefined;
  /** The open panel, by its name in the registry. */
  panel: string | undefined;
  /** Layers that are shown or hidden otherwise than by default. */
  show: readonly string[];
  hide: readonly string[];
  /** The number by which a layer is coloured. */
  by: Readonly<Record<string, string>>;
  /** A condition, as its panel writes it. */
  filter: string | undefined;
  /** The chosen entity. */
  entity: string | undefined;
  /** The moment that is looked at; now, where it is absent. */
  time: string | undefined;
  /** What panels keep of their own, each under names of its own. */
  more: Readonly<Record<string, string>>;
}

export const nowhere: View = {
  camera: undefined,
  panel: undefined,
  show: [],
  hide: [],
  by: {},
  filter: undefined,
  entity: undefined,
  time: undefined,
  more: {},
};

const MEMBERS = new Set(["map", "panel", "show", "hide", "by", "filter", "entity", "time"]);

export function readView(fragment: string): View {
  const members = new URLSearchParams(fragment.replace(/^#/, ""));
  const text = (name: string) => members.get(name) || undefined;
  const list = (name: string) => (text(name) ?? "").split(",").filter(Boolean);
  return {
    camera: readCamera(text("map")),
    panel: text("panel"),
    show: list("show"),
    hide: list("hide"),
    by: Object.fromEntries(list("by").map((pair) => pair.split(":", 2)).filter((pair) => pair.length === 2)),
    filter: text("filter"),
    entity: text("entity"),
    time: text("time"),
    more: Object.fromEntries([...members].filter(([name, value]) => value && !MEMBERS.has(name))),
  };
}

export function writeView(view: View): string {
  const members: string[] = [];
  // The separators of this form need no escape in a fragment, and links stay legible without it.
  const put = (name: string, value: string | undefined) => {
    if (value) members.push(`${name}=${encodeURIComponent(value).replace(/%(2F|3A|2C|40)/g, decodeURIComponent)}`);
  };
  put("map", view.camera && writeCamera(view.camera));
  put("panel", view.panel);
  put("show", view.show.join(","));
  put("hide", view.hide.join(","));
  put("by", Object.entries(view.by).map((pair) => pair.join(":")).join(","));
  put("filter", view.filter);
  put("entity", view.entity);
  put("time", view.time);
  for (const [name, value] of Object.entries(view.more)) put(name, value);
  return members.length > 0 ? `#${members.join("&")}` : "";
}

function readCamera(text: string | undefined): Camera | undefined {
  const [zoom, lat, lng, bearing = 0, pitch = 0] = (text ?? "").split("/").map(Number);
  const isPlace = [zoom, lat, lng, bearing, pitch].every(Number.isFinite);
  if (!isPlace || zoom === undefined || lat === undefined || lng === undefined) return undefined;
  if (Math.abs(lat) > 90 || zoom < 0 || zoom > 24) return undefined;
  return { zoom, lat, lng, bearing, pitch: Math.min(Math.max(pitch, 0), 60) };
}

function writeCamera(camera: Camera): string {
  const place = [camera.zoom.toFixed(2), camera.lat.toFixed(5), camera.lng.toFixed(5)];
  const turned = [Math.round(camera.bearing), Math.round(camera.pitch)];
  return [...place, ...(turned.some((angle) => angle !== 0) ? turned : [])].join("/");
}

const view = createStore<View>(typeof location === "undefined" ? nowhere : readView(location.hash));

export const useView = () => useStore(view);
export const currentView = () => view.get();
export const onView = view.subscribe;

/** Changes the view. A step is one that the back button undoes; moving the map is none. */
export function changeView(change: Partial<View>, how: "step" | "quiet" = "step"): void {
  const next = { ...view.get(), ...change };
  const fragment = writeView(next);
  if (fragment !== writeView(view.get())) {
    const address = `${location.pathname}${location.search}${fragment}`;
    if (how === "step") history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }
  view.set(next);
}

/** Changes what a panel keeps in the view; an empty text or none takes a member away. */
export function changeMore(change: Readonly<Record<string, string | undefined>>, how: "step" | "quiet" = "quiet"): void {
  const members = Object.entries({ ...view.get().more, ...change });
  changeView({ more: Object.fromEntries(members.filter((member): member is [string, string] => Boolean(member[1]))) }, how);
}

if (typeof window !== "undefined") {
  const moved = () => view.set(readView(location.hash));
  window.addEventListener("popstate", moved);
  window.addEventListener("hashchange", moved);
}
