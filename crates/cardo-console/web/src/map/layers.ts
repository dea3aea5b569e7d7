/** The layers of the map as the page knows them, for the map and for the panel alike. */
import { useMemo } from "react";
import { useStore } from "../app/store.ts";
import { useView } from "../app/view.ts";
import { useCounts, useHasTiles, useKinds, useTypes } from "../data/twin.ts";
import { useClasses } from "./classes.ts";
import { planLayers, type Layer } from "./plan.ts";
import { seenMixed, seenMoving } from "./seen.ts";

const none: never[] = [];


export function useLayers(): { layers: Layer[] | undefined; error: unknown; retry: () => void } {
  const { data: types, error, refetch } = useTypes();
  const { data: counts } = useCounts(types);
  const { data: hasTiles, isError: noTiles } = useHasTiles();
  const { show, hide } = useView();
  const classes = useClasses(types ?? none);
  const { data: kinds } = useKinds(types);
  const isReady = types && counts && kinds && (hasTiles !== undefined || noTiles);
  const moving = useStore(seenMoving);
  const mixed = useStore(seenMixed);
  const shown = show.join();
  const hidden = hide.join();
  const layers = useMemo(() => {
    if (!isReady) return undefined;
    const view = { show: shown.split(",").filter(Boolean), hide: hidden.split(",").filter(Boolean) };
    return planLayers(types, counts, view, classes, hasTiles ?? false, { kinds, moving, mixed });
  }, [isReady, types, counts, shown, hidden, classes, hasTiles, kinds, moving, mixed]);
  // What was known stays on the map while the server does not answer.
  return { layers: types && !types.some((type) => type.extent) ? none : layers, error: types ? null : error, retry: () => void refetch() };
}
