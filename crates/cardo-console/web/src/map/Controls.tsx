import { useEffect, useState } from "react";
import { useWords } from "../app/language.ts";
import { useStore } from "../app/store.ts";
import { words } from "../app/words/shell.ts";
import { IconButton } from "../ui/parts.tsx";
import { isCalm, mapHandle } from "./handle.ts";
import { useLayers } from "./layers.ts";
import { goHome } from "./place.ts";

/** Nearer, farther, north, everything. */
export function Controls() {
  const w = useWords(words);
  const map = useStore(mapHandle);
  const { layers } = useLayers();
  const isTurned = useTurned();
  if (!map) return null;
  const how = { animate: !isCalm() };
  return (
    <div className="controls card">
      <IconButton icon="plus" label={w.zoomIn} onClick={() => map.zoomIn(how)} />
      <IconButton icon="minus" label={w.zoomOut} onClick={() => map.zoomOut(how)} />
      {isTurned && <IconButton icon="north" label={w.north} onClick={() => map.resetNorthPitch(how)} />}
      <IconButton icon="home" label={w.home} onClick={() => layers && goHome(map, layers, how)} />
    </div>
  );
}

/** Whether the map is turned or tilted. */
function useTurned(): boolean {
  const map = useStore(mapHandle);
  const [isTurned, setTurned] = useState(false);
  useEffect(() => {
    if (!map) return;
    const look = () => setTurned(Math.abs(map.getBearing()) > 0.5 || map.getPitch() > 0.5);
    look();
    map.on("rotate", look);
    map.on("pitch", look);
    return () => {
      map.off("rotate", look);
      map.off("pitch", look);
    };
  }, [map]);
  return isTurned;
}
