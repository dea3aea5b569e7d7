import { useEffect, useMemo, useState } from "react";
import { useWords } from "../../app/language.ts";
import { changeView, useView } from "../../app/view.ts";
import { useTypes, type TwinType } from "../../data/twin.ts";
import { colourOf } from "../../map/palette.ts";
import { spaced } from "../../ui/format.ts";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { AnswerView } from "./AnswerView.tsx";
import { useSeen } from "./answer.ts";
import { AreaChoice } from "./AreaChoice.tsx";
import { Conditions } from "./Conditions.tsx";
import { Elsewhere } from "./Elsewhere.tsx";
import { useAskable } from "./fields.ts";
import { OrderChoice } from "./OrderChoice.tsx";
import { blank, readQuestion, writeQuestion, type Placed, type Question } from "./question.ts";
import { words } from "./words.ts";
import "./questions.css";
import "./answer.css";

/** A question that is put together with the hand, its answer, and how to ask it elsewhere. */
export default function Questions() {
  const w = useWords(words);
  const { data: types, error, refetch } = useTypes();
  if (error && !types) return <Failure error={error} retry={() => void refetch()} />;
  if (!types) return <Skeleton lines={6} />;
  if (types.length === 0) return <Empty title={w.noType}>{w.noTypeHelp}</Empty>;
  return <Builder types={types} />;
}

export type Change = (change: Partial<Question>) => void;

function Builder({ types }: { types: TwinType[] }) {
  const w = useWords(words);
  const { filter } = useView();
  const question = useMemo(() => (filter && readQuestion(filter)) || blank(firstOf(types)), [filter, types]);
  const type = types.find((type) => type.name === question.type);
  const { data: known, error, refetch } = useAskable(type);
  const placed = usePlaced(useSettled(question));
  const put = (next: Question, how: "step" | "quiet") => changeView({ filter: writeQuestion(next) }, how);
  const change: Change = (change) => put({ ...question, ...change }, "quiet");
  return (
    <div className="questions">
      <label className="ask-row">
        <span className="ask-label">{w.type}</span>
        <span className="with-dot">
          <span className="dot" style={{ background: colourOf(question.type) }} />
          <select className="select" value={question.type} onChange={(event) => put({ ...blank(event.target.value), area: question.area }, "step")}>
            {!type && <option value={question.type}>{spaced(question.type)}</option>}
            {types.map(({ name }) => (
              <option key={name} value={name}>
                {spaced(name)}
              </option>
            ))}
          </select>
        </span>
      </label>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!type && <Empty title={w.noSuchType}>{w.noSuchTypeHelp}</Empty>}
      {type && known ? (
        <>
          <Conditions question={question} known={known} change={change} />
          {known.geometry && <AreaChoice question={question} change={change} />}
          <OrderChoice question={question} known={known} change={change} />
          <AnswerView question={placed} known={known} change={change} />
          <Elsewhere question={placed} known={known} />
        </>
      ) : (
        !error && type && <Skeleton lines={4} />
      )}
    </div>
  );
}

/** The first type that one is likely to ask about: one with numbers and a place. */
function firstOf(types: readonly TwinType[]): string {
  const hasUnits = ({ columns }: TwinType) => columns.some(({ name }) => name.endsWith("__unitCode"));
  return (types.find((type) => type.geometry && hasUnits(type)) ?? types[0])?.name ?? "";
}

/** What was said once typing has come to rest. */
function useSettled<T>(value: T): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), 250);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}

/** The question with the box of the view, where it is about the view. */
function usePlaced(question: Question): Placed {
  const seen = useSeen();
  const box = question.area?.kind === "view" ? seen : undefined;
  return useMemo(() => ({ ...question, box }), [question, box]);
}
