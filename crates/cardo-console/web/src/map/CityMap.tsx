import { Map as MapLibre, setWorkerUrl } from "maplibre-gl";
import worker from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { useEffect, useRef } from "react";
import { changeView, currentView } from "../app/view.ts";
import { mapHandle } from "./handle.ts";

setWorkerUrl(worker);

/** The map that fills the page. */
export function CityMap() {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!element.current) return;
    const camera = currentView().camera;
    const map = new MapLibre({
      container: element.current,
      style: { version: 8, sources: {}, layers: [] },
      attributionControl: false,
      maxPitch: 60,
      ...(camera ? { center: [camera.lng, camera.lat], zoom: camera.zoom, bearing: camera.bearing, pitch: camera.pitch } : {}),
    });
    map.on("moveend", () => {
      const { lng, lat } = map.getCenter();
      const camera = { zoom: map.getZoom(), lat, lng, bearing: map.getBearing(), pitch: map.getPitch() };
      changeView({ camera }, "quiet");
    });
    mapHandle.set(map);
    return () => {
      mapHandle.set(undefined);
      map.remove();
    };
  }, []);
  return <div className="map" ref={element} />;
}
