import { useEffect } from "react";
import { currentLanguage, useWords } from "../../app/language.ts";
import { useView } from "../../app/view.ts";
import { inLanguage } from "../../data/entity.ts";
import { boxOf, showBox, showEntity } from "../../map/handle.ts";
import { together } from "../../map/region.ts";
import type { Geometry } from "geojson";
import { number, relativeTime, shortId, spaced, unit } from "../../ui/format.ts";
import { Button, Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { MOST_DRAWN, shownColumns, unitColumn, useAnswer, useMarks, useSeen, type Row } from "./answer.ts";
import type { Askable } from "./fields.ts";
import { useOnMap } from "./marks.ts";
import type { Placed } from "./question.ts";
import type { Change } from "./Questions.tsx";
import { filled, words } from "./words.ts";

interface Props {
  question: Placed;
  known: Askable;
  change: Change;
}

/** How many match, which they are, and where. */
export function AnswerView({ question, known, change }: Props) {
  const w = useWords(words);
  const isOf = question.type === known.collection;
  const { data, error, refetch, isPlaceholderData } = useAnswer(isOf ? question : undefined, known);
  const { data: marks } = useMarks(isOf ? question : undefined, known, data?.total ?? 0, useSeen());
  const isAsked = question.conditions.length > 0 || question.area !== undefined;
  useOnMap(isAsked ? known.collection : undefined, data?.total === 0 ? [] : marks, question.area);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton lines={5} />;
  const { total, rows } = data;
  const show = () => {
    const boxes = (marks ?? []).map((feature) => boxOf(feature.geometry));
    if (boxes.length > 0) showBox(boxes.reduce(together));
  };
  return (
    <div className="answer" aria-busy={isPlaceholderData}>
      <div className="answer-head">
        <p role="status">
          <strong className="num answer-count" data-count={isPlaceholderData ? undefined : total}>{number(total, 0)}</strong> {w.matching}
          {rows.length < total && <span className="quiet small">{filled(w.shownRows, { n: number(rows.length, 0) })}</span>}
          {total > MOST_DRAWN && isAsked && marks && <span className="quiet small">{filled(w.marksPart, { n: number(marks.length, 0) })}</span>}
        </p>
        {isAsked && known.geometry && total > 0 && <Button onClick={show}>{w.onMap}</Button>}
      </div>
      {total === 0 ? <Empty title={w.none}>{w.noneHelp}</Empty> : <Table rows={rows} columns={shownColumns(question, known)} question={question} known={known} change={change} />}
    </div>
  );
}

interface TableProps extends Props {
  rows: Row[];
  columns: string[];
}

function Table({ rows, columns, question, known, change }: TableProps) {
  const w = useWords(words);
  const { entity } = useView();
  const kinds = new Map(known.fields.map(({ name, kind }) => [name, kind]));
  const isNamed = rows.some((row) => textOf(row["name"]));
  const shown = columns.filter((column) => column !== "name");
  const heads = [isNamed ? "name" : "id", ...shown];
  useEffect(() => {
    if (entity) document.querySelector(".answer-table tr[aria-current]")?.scrollIntoView({ block: "nearest" });
  }, [entity]);
  return (
    <div className="answer-scroll" tabIndex={0} role="region" aria-label={w.rows}>
      <table className="table answer-table">
        <thead>
          <tr>
            {heads.map((column) => (
              <Head key={column} column={column} isNumber={kinds.get(column) === "number"} unitSign={commonUnit(rows, column)} question={question} known={known} change={change} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id} data-id={row.id} aria-current={row.id === entity || undefined}>
              <td>
                <button type="button" className="row-button" title={row.id} onClick={() => showEntity(row.id, row["cardoPlace"] as Geometry | undefined)}>
                  {(isNamed && textOf(row["name"])) || <span className="mono quiet">{isNamed ? lastPart(row.id) : shortId(row.id, 30)}</span>}
                </button>
              </td>
              {shown.map((column) => (
                <td key={column} className={kinds.get(column) === "number" ? "num" : undefined}>
                  {cell(row[column], kinds.get(column) === "moment", w)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadProps extends Props {
  column: string;
  isNumber: boolean;
  unitSign: string;
}

/** A head that orders by its column, first down, then up, then not at all. */
function Head({ column, isNumber, unitSign, question: { order }, known, change }: HeadProps) {
  const w = useWords(words);
  const word = column === "id" ? w.id : spaced(column);
  const isOrder = order?.column === column;
  const isSortable = known.fields.some(({ name, isSortable }) => name === column && isSortable);
  const next = !isOrder ? { column, isDown: true } : order.isDown ? { column, isDown: false } : undefined;
  return (
    <th scope="col" className={isNumber ? "num" : undefined} aria-sort={isOrder ? (order.isDown ? "descending" : "ascending") : undefined}>
      {isSortable ? (
        <button type="button" className="head-button" title={`${w.sortBy}: ${word}`} onClick={() => change({ order: next })}>
          {word}
          {unitSign && <span className="unit"> ({unitSign})</span>}
          {isOrder && <span aria-hidden="true" className="sort-sign">{order.isDown ? "\u00a0↓" : "\u00a0↑"}</span>}
        </button>
      ) : (
        <>{word}{unitSign && <span className="unit"> ({unitSign})</span>}</>
      )}
    </th>
  );
}

/** What tells an id from others of its type. */
const lastPart = (id: string): string => shortId(id.slice(id.lastIndexOf(":", id.length - 2) + 1), 24);

/** The unit of a column, where all its values have the same. */
function commonUnit(rows: readonly Row[], column: string): string {
  const units = new Set(rows.filter((row) => row[column] !== null).map((row) => row[unitColumn(column)]));
  const [first] = units;
  return units.size === 1 && typeof first === "string" ? unit(first) : "";
}

function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value || undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const map = "languageMap" in value ? value.languageMap : value;
  return inLanguage(map as Record<string, string>, currentLanguage()) || undefined;
}

function cell(value: unknown, isMoment: boolean, w: { yes: string; no: string }): string {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return number(value);
  if (typeof value === "boolean") return value ? w.yes : w.no;
  if (typeof value === "string") return isMoment ? relativeTime(value) : value.startsWith("urn:") ? shortId(value, 22) : value;
  if (Array.isArray(value)) return value.map((item) => cell(item, isMoment, w)).join(", ");
  return JSON.stringify(value);
}
