import { moment, pageAt } from "../data/http.ts";
import { fieldTime, momentOfField } from "../ui/format.ts";
import { IconButton } from "../ui/parts.tsx";
import { useWords } from "./language.ts";
import { words } from "./words/shell.ts";

/** The moment that is looked at. Another one is another page, with the same view. */
export function TimeSwitch() {
  const w = useWords(words);
  const at = moment();
  const go = (time: string | undefined) => location.assign(pageAt(time) + location.hash);
  const submit = (event: React.FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const time = momentOfField(String(new FormData(event.currentTarget).get("time") ?? ""));
    if (time) go(time);
  };
  return (
    <form className="time" onSubmit={submit}>
      <input type="datetime-local" name="time" step={1} required aria-label={w.moment} defaultValue={at && fieldTime(at)} />
      <IconButton icon="clock" type="submit" label={w.showMoment} />
      {at && <IconButton icon="close" className="time-now" label={w.showNow} onClick={() => go(undefined)} />}
    </form>
  );
}
