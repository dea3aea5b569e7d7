import { useEffect, useState } from "react";
import type { MapMouseEvent } from "maplibre-gl";
import { useStore } from "../app/store.ts";
import { relativeTime, spaced } from "../ui/format.ts";
import { mapHandle } from "./handle.ts";
import { colourOf } from "./palette.ts";
import { at, clicks, typeOf } from "./pick.ts";

interface Pointed {
  x: number;
  y: number;
  type: string;
  name: string | undefined;
  count: number | undefined;
  /** When it was last heard of, where it moves. */
  observed: number | undefined;
}

/** What the pointer is at, said beside it. */
export function Hint() {
  const map = useStore(mapHandle);
  const [pointed, setPointed] = useState<Pointed>();
  useEffect(() => {
    if (!map || !matchMedia("(hover: hover)").matches) return;
    let waiting = 0;
    const look = (event: MapMouseEvent) => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(() => {
        if (map.isMoving()) return;
        // Whoever takes the clicks says what they do.
        if (clicks.get()) return setPointed(undefined);
        const feature = at(map, event.point.x, event.point.y);
        map.getCanvas().style.cursor = feature ? "pointer" : "";
        const { name, point_count: count, "~observed": observed } = feature?.properties ?? {};
        const isSaid = feature && (typeof name === "string" || feature.layer.type !== "fill");
        setPointed(isSaid ? { x: event.point.x, y: event.point.y, type: typeOf(feature), name, count, observed } : undefined);
      });
    };
    const leave = () => {
      cancelAnimationFrame(waiting);
      setPointed(undefined);
    };
    map.on("mousemove", look);
    map.on("mouseout", leave);
    map.on("movestart", leave);
    return () => {
      cancelAnimationFrame(waiting);
      map.off("mousemove", look);
      map.off("mouseout", leave);
      map.off("movestart", leave);
    };
  }, [map]);
  if (!pointed) return null;
  return (
    <div className="hint card" aria-hidden="true" style={{ transform: `translate(${pointed.x + 14}px, ${pointed.y + 14}px)` }}>
      <span className="dot" style={{ background: colourOf(pointed.type) }} />
      {pointed.count !== undefined && <b className="num">{pointed.count}</b>}
      {pointed.name && <b>{pointed.name}</b>}
      <span className="quiet">{spaced(pointed.type)}</span>
      {pointed.observed !== undefined && <span className="quiet num">{relativeTime(pointed.observed)}</span>}
    </div>
  );
}
