import { useState } from "react";
import { useWords } from "../../app/language.ts";
import { PAGE, useDiscard, useQuarantine, useReplay, type Quarantined } from "../../data/sources.ts";
import { number } from "../../ui/format.ts";
import { Age, Button, Failure, Skeleton } from "../../ui/parts.tsx";
import { words } from "./words.ts";

/** The records of a source that could not be taken in, and what can be done with them. */
export function Quarantine({ name, size }: { name: string; size: number }) {
  const w = useWords(words);
  const [offset, setOffset] = useState(0);
  const { data, error, refetch } = useQuarantine(name, offset, size);
  const total = data?.total ?? size;
  return (
    <section className="quarantine" aria-label={`${name}: ${w.quarantine}`}>
      <Actions name={name} total={total} />
      {error !== null && !data && <Failure error={error} retry={() => void refetch()} />}
      {!error && !data && <Skeleton lines={4} />}
      {data && data.records.length > 0 && (
        <ol>
          {data.records.map((record) => <Entry key={`${record.at} ${record.record}`} entry={record} />)}
        </ol>
      )}
      {total > PAGE && (
        <nav className="pages">
          <Button disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - PAGE))}>{w.earlier}</Button>
          <span className="quiet small num">{number(offset + 1, 0)} – {number(Math.min(offset + PAGE, total), 0)} / {number(total, 0)}</span>
          <Button disabled={offset + PAGE >= total} onClick={() => setOffset(offset + PAGE)}>{w.later}</Button>
        </nav>
      )}
    </section>
  );
}

function Entry({ entry: { record, offset, line, reason, at, feature, text, hex, is_cut: isCut } }: { entry: Quarantined }) {
  const w = useWords(words);
  const kept = feature ?? text ?? hex;
  return (
    <li>
      <p className="entry-reason">{reason}</p>
      <p className="quiet small num">
        {w.record} {number(record, 0)} · {line === undefined ? `${w.byte} ${number(offset, 0)}` : `${w.line} ${number(line, 0)}, ${w.byte} ${number(offset, 0)}`} · <Age time={at} />
      </p>
      {kept && (
        <details>
          <summary className="small quiet">{w.kept}{isCut && ` (${w.cut})`}</summary>
          <pre tabIndex={0} role="region" aria-label={`${w.record} ${record}`}><code>{feature ? pretty(feature) : kept}</code></pre>
        </details>
      )}
    </li>
  );
}

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

/** Both are asked about once more before they happen. */
function Actions({ name, total }: { name: string; total: number }) {
  const w = useWords(words);
  const [asked, setAsked] = useState<"replay" | "discard">();
  const replay = useReplay(name);
  const discard = useDiscard(name);
  const failed = replay.error ?? discard.error;
  const go = () => {
    setAsked(undefined);
    replay.reset();
    discard.reset();
    (asked === "replay" ? replay : discard).mutate();
  };
  const isBusy = replay.isPending || discard.isPending;
  return (
    <>
      {!asked && total > 0 && (
        <div className="quarantine-actions">
          <Button disabled={isBusy} onClick={() => setAsked("replay")}>{w.replay}</Button>
          <Button disabled={isBusy} onClick={() => setAsked("discard")}>{w.discard}</Button>
        </div>
      )}
      {asked && (
        <div className="confirm" role="alertdialog" aria-label={asked === "replay" ? w.replay : w.discard}>
          <p>{(asked === "replay" ? w.replayAsk : w.discardAsk).replace("{0}", number(total, 0))}</p>
          <div className="quarantine-actions">
            <Button kind="main" onClick={go}>{asked === "replay" ? w.replay : w.discard}</Button>
            <Button autoFocus onClick={() => setAsked(undefined)}>{w.keep}</Button>
          </div>
        </div>
      )}
      <p className="small" role="status">
        {replay.data && w.replayed.replace("{0}", number(replay.data.taken, 0)).replace("{1}", number(replay.data.records, 0))}
      </p>
      {failed && <Failure error={failed} />}
    </>
  );
}
