import { useWords } from "../../app/language.ts";
import { changeMore, useView } from "../../app/view.ts";
import type { Source } from "../../data/sources.ts";
import { number } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { Age } from "../../ui/parts.tsx";
import { Quarantine } from "./Quarantine.tsx";
import { words } from "./words.ts";

/** One source: how it is, when it last told something, and what went wrong. */
export function SourceCard({ source }: { source: Source }) {
  const w = useWords(words);
  const { more } = useView();
  const isOpen = more["quarantine"] === source.name;
  const { name, kind, state, lastError, quarantine, simulated } = source;
  return (
    <article className="source" data-source={name} data-state={state} aria-labelledby={`source-${name}`}>
      <header>
        <span className="state-dot" />
        <h3 id={`source-${name}`}>{name}</h3>
        {kind && <span className="tag">{kind}</span>}
        {simulated && <span className="tag">{w.simulated}</span>}
        <span className="source-state">{w[state] ?? state}</span>
      </header>
      <Facts source={source} />
      {lastError && (
        <p className="source-error" data-now={state === "failing" ? "" : undefined}>
          <Icon name="warning" size={15} />
          <span>
            {lastError.message}
            <span className="quiet small"> · <Age time={lastError.at} /></span>
          </span>
        </p>
      )}
      {(quarantine > 0 || isOpen) && (
        <button type="button" className="quarantine-toggle" aria-expanded={isOpen}
          onClick={() => changeMore({ quarantine: isOpen ? undefined : name })}>
          <Icon name="chevron" size={13} />
          <b className="num">{number(quarantine, 0)}</b> {w.quarantine}
        </button>
      )}
      {isOpen && <Quarantine name={name} size={quarantine} />}
    </article>
  );
}

function Facts({ source }: { source: Source }) {
  const w = useWords(words);
  const { rate, lastRecord, nextAttempt, taken, unchanged, late, skipped, failures, quarantined } = source;
  const asides = [unchanged > 0 && `${number(unchanged, 0)} ${w.unchanged}`, late > 0 && `${number(late, 0)} ${w.late}`].filter(Boolean).join(", ");
  return (
    <dl className="facts">
      <div>
        <dt>{w.lastRecord}</dt>
        <dd>{lastRecord ? <Age time={lastRecord} /> : w.never}</dd>
        {rate > 0 && <dd className="quiet num">{number(rate, 1)}{w.perSecond}</dd>}
      </div>
      <div>
        <dt>{w.taken}</dt>
        <dd className="num">{number(taken, 0)}</dd>
        {asides && <dd className="quiet num">{asides}</dd>}
      </div>
      {nextAttempt && (
        <div>
          <dt>{w.next}</dt>
          <dd><Age time={nextAttempt} /></dd>
        </div>
      )}
      {failures > 0 && <Fact name={w.failures} value={failures} isBad />}
      {quarantined > 0 && <Fact name={w.quarantined} value={quarantined} isBad />}
      {skipped > 0 && <Fact name={w.skipped} value={skipped} />}
    </dl>
  );
}

function Fact({ name, value, isBad = false }: { name: string; value: number; isBad?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={isBad ? "num warn" : "num"}>{number(value, 0)}</dd>
    </div>
  );
}
