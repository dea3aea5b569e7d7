/** The layers of the map as the page knows them, for the map and for the panel alike. */
import { useMemo } from "react";
import { createStore, useStore } from "../app/store.ts";
import { useView } from "../app/view.ts";
import { useCounts, useHasTiles, useTypes } from "../data/twin.ts";
import { useClasses } from "./classes.ts";
import { planLayers, type Layer } from "./plan.ts";

const none: never[] = [];

/** Types that were seen to move, though nothing said that they would. */
export const seenMoving = createStore<ReadonlySet<string>>(new Set());

export function useLayers(): { layers: Layer[] | undefined; error: unknown; retry: () => void } {
  const { data: types, error, refetch } = useTypes();
  const { data: counts } = useCounts(types);
  const { data: hasTiles, isError: noTiles } = useHasTiles();
  const { show, hide } = useView();
  const classes = useClasses(types ?? none);
  const isReady = types && counts && (hasTiles !== undefined || noTiles);
  const moving = useStore(seenMoving);
  const shown = show.join();
  const hidden = hide.join();
  const layers = useMemo(() => {
    if (!isReady) return undefined;
    const view = { show: shown.split(",").filter(Boolean), hide: hidden.split(",").filter(Boolean) };
    return planLayers(types, counts, view, classes, hasTiles ?? false, moving);
  }, [isReady, types, counts, shown, hidden, classes, hasTiles, moving]);
  return { layers: types?.length === 0 ? none : layers, error, retry: () => void refetch() };
}
