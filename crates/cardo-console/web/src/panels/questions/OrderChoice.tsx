import { useWords } from "../../app/language.ts";
import { number, spaced } from "../../ui/format.ts";
import type { Askable } from "./fields.ts";
import { SIZES, type Question } from "./question.ts";
import type { Change } from "./Questions.tsx";
import { words } from "./words.ts";

/** In which order the answer comes, and how much of it. */
export function OrderChoice({ question: { order, first }, known, change }: { question: Question; known: Askable; change: Change }) {
  const w = useWords(words);
  const sortable = known.fields.filter(({ isSortable }) => isSortable);
  return (
    <div className="ask-row">
      <span className="ask-label">{w.order}</span>
      <div className="ask-order">
        <select className="select" aria-label={w.order} value={order?.column ?? ""}
          onChange={({ target: { value } }) => change({ order: value ? { column: value, isDown: order?.isDown ?? true } : undefined })}>
          <option value="">{w.byCreation}</option>
          {sortable.map(({ name }) => (
            <option key={name} value={name}>
              {spaced(name)}
            </option>
          ))}
        </select>
        {order && (
          <button type="button" className="button" onClick={() => change({ order: { ...order, isDown: !order.isDown } })}>
            {order.isDown ? `↓ ${w.down}` : `↑ ${w.up}`}
          </button>
        )}
        <label className="ask-first">
          <span className="quiet">{w.first}</span>{" "}
          <select className="select" value={first} onChange={({ target: { value } }) => change({ first: Number(value) })}>
            {SIZES.map((size) => (
              <option key={size} value={size}>
                {number(size, 0)}
              </option>
            ))}
          </select>
        </label>
      </div>
    </div>
  );
}
