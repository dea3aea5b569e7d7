/** Whatever changes of an entity while one looks at it. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { onConnected, subscribe } from "../../data/live.ts";

const QUESTION = `subscription Entity($filter: EntityFilter) {
  entityChanged(filter: $filter) { change revision time entity { id } }
}`;

/** What is heard more often than this is asked for once. */
const PAUSE = 1_000;
/** A history is longer than its last value. */
const PAUSE_OF_HISTORY = 5_000;

/** Asks again what is shown of an entity whenever it changes; tells whether it was deleted meanwhile. */
export function useFollowed(id: string): boolean {
  const client = useQueryClient();
  const [isDeleted, setDeleted] = useState(false);
  useEffect(() => {
    const renew = soon(PAUSE, () => void client.invalidateQueries({ queryKey: ["entity", id] }));
    const renewHistory = soon(PAUSE_OF_HISTORY, () => void client.invalidateQueries({ queryKey: ["history", id] }));
    const refused = (message: string) => console.warn(`no news of ${id}: ${message}`);
    const stop = subscribe<{ id: string }>(QUESTION, { filter: { id: { eq: id } } }, ({ change }) => {
      setDeleted(change === "DELETED");
      if (change === "DELETED") return;
      renew.call();
      renewHistory.call();
    }, refused);
    const unhook = onConnected(() => renew.call());
    return () => {
      stop();
      unhook();
      renew.stop();
      renewHistory.stop();
    };
  }, [client, id]);
  return isDeleted;
}

/** Calls at once, and then no more often than the pause allows. */
function soon(pause: number, act: () => void): { call: () => void; stop: () => void } {
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = () => {
    timer = undefined;
    last = Date.now();
    act();
  };
  return {
    call: () => (timer ??= setTimeout(run, Math.max(0, last + pause - Date.now()))),
    stop: () => clearTimeout(timer),
  };
}
