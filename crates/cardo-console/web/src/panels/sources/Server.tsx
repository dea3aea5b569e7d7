import { useWords } from "../../app/language.ts";
import { useStore } from "../../app/store.ts";
import { revision, url } from "../../data/http.ts";
import { useServerState } from "../../data/sources.ts";
import { number } from "../../ui/format.ts";
import { Failure, Skeleton } from "../../ui/parts.tsx";
import { words } from "./words.ts";

/** What the server says of itself, for those who look after it. */
export function ServerPart() {
  const w = useWords(words);
  const { data, error, refetch } = useServerState();
  const known = useStore(revision);
  return (
    <section className="server" aria-label={w.server}>
      <h3>{w.server}</h3>
      {error !== null && !data && <Failure error={error} retry={() => void refetch()} />}
      {!error && !data && <Skeleton lines={2} />}
      {data && (
        <dl className="facts">
          <State name={w.health} isGood={!error && data.isUp} text={error || !data.isUp ? w.down : w.up} />
          <State name={w.ready} isGood={data.isReady} text={data.isReady ? w.takesWrites : data.store} />
          <div>
            <dt>{w.revision}</dt>
            <dd className="num">{number(known, 0)}</dd>
          </div>
          <div>
            <dt>{w.behind}</dt>
            <dd className="num">{number(data.behind, 0)} {w.revisions}</dd>
          </div>
          <div>
            <dt>{w.version}</dt>
            <dd className="num">{data.version}</dd>
          </div>
        </dl>
      )}
      <p className="small"><a href={url("metrics")} target="_blank" rel="noopener">{w.metrics}</a></p>
    </section>
  );
}

function State({ name, isGood, text }: { name: string; isGood: boolean; text: string }) {
  return (
    <div data-state={isGood ? "running" : "failing"}>
      <dt>{name}</dt>
      <dd><span className="state-dot" /> {text}</dd>
    </div>
  );
}
