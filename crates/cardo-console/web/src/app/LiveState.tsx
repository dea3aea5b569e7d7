import { moment, revision } from "../data/http.ts";
import { live } from "../data/live.ts";
import { exactTime, number } from "../ui/format.ts";
import { useWords } from "./language.ts";
import { useStore } from "./store.ts";
import { filled, words } from "./words/shell.ts";

/** Whether news arrive, how many, and up to which revision. */
export function LiveState() {
  const w = useWords(words);
  const { state, rate } = useStore(live);
  const at = useStore(revision);
  const past = filled(w.asOf, { when: exactTime(moment() ?? 0) });
  const word = { live: w.live, connecting: w.connecting, offline: w.offline, past }[state];
  return (
    <div className="live" data-state={state} title={`${word} · ${filled(w.revision, { n: number(at) })}`}>
      <span className="live-dot" aria-hidden="true" />
      <span className="live-word" role="status">{word}</span>
      {state === "live" && <span className="live-rate num">{filled(w.updates, { n: number(rate, 1) })}</span>}
      <span className="live-revision num">{filled(w.revision, { n: number(at) })}</span>
    </div>
  );
}
