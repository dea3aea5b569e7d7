import { useEffect, useRef } from "react";
import { useWords } from "../../app/language.ts";
import { changeMore, useView } from "../../app/view.ts";
import { number, spaced } from "../../ui/format.ts";
import { sized } from "./OneArea.tsx";
import { shortLabelOf, shown } from "./label.ts";
import { measureKey, readMeasure, sorted, valueOf, type Measure, type Row } from "./measure.ts";
import { words } from "./words.ts";

interface AreaTableProps {
  rows: readonly Row[];
  counted: readonly string[];
  measure: Measure;
  /** The area that is pointed at, here or on the map. */
  marked: string | undefined;
  mark: (id: string | undefined) => void;
  open: (id: string) => void;
}

type By = Measure | "name" | "size";

const keyOf = (by: By) => (typeof by === "string" ? by : measureKey(by));

/** A row for each area; a click on a heading sorts. */
export function AreaTable({ rows, counted, measure, marked, mark, open }: AreaTableProps) {
  const w = useWords(words);
  const { more } = useView();
  const counts = counted.map((type): Measure => ({ type, figure: "count" }));
  const measures = measure.figure === "count" ? counts : [measure, ...counts];
  const asked = more["sort"] ?? `-${measureKey(measure)}`;
  const isDown = asked.startsWith("-");
  const key = asked.replace(/^-/, "");
  const by: By = key === "name" || key === "size" ? key : (readMeasure(key) ?? measure);
  const table = useRef<HTMLDivElement>(null);
  const list = sorted(rows, by, isDown);
  useEffect(() => {
    if (marked && table.current) reveal(table.current, marked);
  }, [marked]);
  const heading = (of: By, text: string, sub?: string) => {
    const own = keyOf(of);
    const isBy = own === keyOf(by);
    // Numbers are first wanted from the top, names from A.
    const next = isBy ? !isDown : of !== "name";
    return (
      <th key={own} scope="col" className={of === "name" ? undefined : "num"} aria-sort={isBy ? (isDown ? "descending" : "ascending") : undefined}>
        <button type="button" onClick={() => changeMore({ sort: `${next ? "-" : ""}${own}` })}>
          {text}
          {isBy && <span aria-hidden="true">{isDown ? "\u00a0↓" : "\u00a0↑"}</span>}
          {sub && <small>{sub}</small>}
        </button>
      </th>
    );
  };
  return (
    <div className="area-table" ref={table} tabIndex={0} role="region" aria-label={w.many}>
      <table className="table">
        <thead>
          <tr>
            {heading("name", w.name)}
            {measures.map((one) => heading(one, spaced(one.type), one.figure === "count" ? undefined : shortLabelOf(one, w)))}
            {heading("size", w.size)}
          </tr>
        </thead>
        <tbody>
          {list.map((row) => (
            <tr key={row.place.id} data-area={row.place.id} data-marked={row.place.id === marked ? "" : undefined}
              onMouseEnter={() => mark(row.place.id)} onMouseLeave={() => mark(undefined)}>
              <th scope="row"><button type="button" className="row-link" onClick={() => open(row.place.id)}>{row.place.name}</button></th>
              {measures.map((one) => {
                const value = valueOf(row, one);
                return <td key={measureKey(one)} className="num" data-measure={measureKey(one)}>{value === undefined ? <span className="quiet">–</span> : shown(value, one)}</td>;
              })}
              <td className="num quiet">{sized(row.place.size)}</td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">{number(rows.length, 0)} {w.places}</th>
            {measures.map((one) => (
              <td key={measureKey(one)} className="num">
                {one.figure === "count" || one.figure === "sum" ? shown(rows.reduce((sum, row) => sum + (valueOf(row, one) ?? 0), 0), one) : ""}
              </td>
            ))}
            <td className="num quiet">{sized(rows.reduce((sum, { place }) => sum + place.size, 0))}</td>
          </tr>
        </tfoot>
      </table>
    </div>
  );
}

/** Scrolls the table, and nothing around it, so that a row that is pointed at on the map is seen. */
function reveal(table: HTMLElement, id: string): void {
  const row = table.querySelector<HTMLElement>(`[data-area="${CSS.escape(id)}"]`);
  if (!row || row.matches(":hover")) return;
  const [head, foot] = ["thead", "tfoot"].map((part) => table.querySelector(part)!.getBoundingClientRect());
  const at = row.getBoundingClientRect();
  if (at.top < head!.bottom) table.scrollTop -= head!.bottom - at.top;
  else if (at.bottom > foot!.top) table.scrollTop += at.bottom - foot!.top;
}
