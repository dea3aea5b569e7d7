import { live } from "../data/live.ts";
import { exactTime } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { useWords } from "./language.ts";
import { useStore } from "./store.ts";
import { filled, words } from "./words/shell.ts";

/** Says that what is seen is the last that was known, and since when. */
export function OfflineBar() {
  const w = useWords(words);
  const { state, lastNews } = useStore(live);
  if (state !== "offline") return null;
  return (
    <div className="offline card" role="status">
      <Icon name="warning" />
      {filled(w.offlineSince, { when: exactTime(lastNews) })}
    </div>
  );
}
