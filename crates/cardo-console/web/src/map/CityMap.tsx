import { useQueryClient } from "@tanstack/react-query";
import type { Feature, Geometry } from "geojson";
import { Map as MapLibre, ScaleControl, setWorkerUrl, type MapMouseEvent } from "maplibre-gl";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { useEffect, useMemo, useRef, useState } from "react";
import { useLanguage, useWords } from "../app/language.ts";
import { useTheme } from "../app/theme.ts";
import { changeView, currentView, useView } from "../app/view.ts";
import { words } from "../app/words/shell.ts";
import { useEntity, type Instance } from "../data/entity.ts";
import { authorization, base } from "../data/http.ts";
import { Empty } from "../ui/parts.tsx";
import { Controls } from "./Controls.tsx";
import { mapHandle } from "./handle.ts";
import { Hint } from "./Hint.tsx";
import { useLayers } from "./layers.ts";
import { lookOf } from "./look.ts";
import { MapState } from "./MapState.tsx";
import { click } from "./pick.ts";
import { goHome } from "./place.ts";
import { Scene } from "./scene.ts";
import { Sources } from "./Sources.tsx";

setWorkerUrl(worker);

function create(container: HTMLElement, title: string): MapLibre {
  const camera = currentView().camera;
  return new MapLibre({
    container,
    style: { version: 8, sources: {}, layers: [] },
    attributionControl: false,
    maxPitch: 60,
    locale: { "Map.Title": title },
    fadeDuration: 150,
    // The page's own server is the only one; it may want to know who asks.
    transformRequest: (url) => (url.startsWith(base()) ? { url, headers: authorization() } : { url }),
    ...(camera ? { center: [camera.lng, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch } : { center: [0, 20], zoom: 1 }),
  });
}

/** The map that fills the page. */
export function CityMap() {
  const w = useWords(words);
  const element = useRef<HTMLDivElement>(null);
  const word = useRef(w.map);
  const renewTypes = useRef(useRenewTypes());
  const [scene, setScene] = useState<Scene>();
  const [isMissing, setMissing] = useState(false);
  useEffect(() => {
    const container = element.current;
    if (!container) return;
    let map: MapLibre | undefined;
    let made: Scene | undefined;
    let isOver = false;
    const begin = () => {
      if (isOver) return;
      try {
        map = create(container, word.current);
      } catch {
        setMissing(true);
        return;
      }
      const own = map;
      own.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-right");
      own.on("load", () => {
        made = new Scene(own, () => renewTypes.current());
        setScene(made);
        mapHandle.set(own);
        // For tests, and for whoever looks at the page with the tools of the browser.
        Object.assign(container, { map: own });
      });
      own.on("moveend", remember);
      own.on("click", (event: MapMouseEvent) => void click(own, event));
    };
    // Labels are drawn with the font of the page, so it has to be there.
    void document.fonts.load('16px "Inter Variable"').then(begin, begin);
    return () => {
      isOver = true;
      mapHandle.set(undefined);
      setScene(undefined);
      made?.close();
      map?.remove();
    };
  }, []);
  return (
    <>
      <div className="map" ref={element} />
      {scene && <Drawn scene={scene} />}
      <Hint />
      <Controls />
      <Sources />
      <MapState />
      {isMissing && <div className="map-missing"><Empty title={w.noWebGl} /></div>}
    </>
  );
}

/** Asks for the types again, once for all that happens within a moment. */
function useRenewTypes(): () => void {
  const client = useQueryClient();
  const waiting = useRef<ReturnType<typeof setTimeout>>(undefined);
  return () => {
    waiting.current ??= setTimeout(() => {
      waiting.current = undefined;
      void client.invalidateQueries({ queryKey: ["types"] });
    }, 500);
  };
}

function remember({ target }: { target: MapLibre }) {
  const { lng, lat } = target.getCenter();
  const camera = { zoom: target.getZoom(), lat, lng, bearing: target.getBearing(), pitch: target.getPitch() };
  changeView({ camera }, "quiet");
}

/** Keeps the map as the view says. */
function Drawn({ scene }: { scene: Scene }) {
  const { layers } = useLayers();
  const theme = useTheme();
  const language = useLanguage();
  const { entity, camera } = useView();
  const chosen = useChosen(entity);
  useEffect(() => {
    if (layers) scene.show(layers, lookOf(theme, language), chosen);
  }, [scene, layers, theme, language, chosen]);
  useEffect(() => {
    const map = mapHandle.get();
    if (map && layers && !currentView().camera) goHome(map, layers, { animate: false });
  }, [layers]);
  useEffect(() => {
    const map = mapHandle.get();
    if (!map || !camera) return;
    const at = map.getCenter();
    const isThere = Math.abs(at.lng - camera.lng) + Math.abs(at.lat - camera.lat) < 1e-4 && Math.abs(map.getZoom() - camera.zoom) < 0.02;
    if (!isThere) map.jumpTo({ center: [camera.lng, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch });
  }, [camera]);
  return null;
}

/** The chosen entity as a feature. */
function useChosen(id: string | undefined): Feature | undefined {
  const { data } = useEntity(id);
  const geometry = data && geometryOf(data);
  const key = geometry && JSON.stringify(geometry);
  return useMemo(
    () => (id && key ? { type: "Feature", id, geometry: JSON.parse(key) as Geometry, properties: {} } : undefined),
    [id, key],
  );
}

function geometryOf(entity: Record<string, unknown>): Geometry | undefined {
  const candidates = [entity["location"], ...Object.values(entity)].flat() as (Instance | undefined)[];
  const found = candidates.find((instance) => instance?.type === "GeoProperty");
  return found?.value as Geometry | undefined;
}
