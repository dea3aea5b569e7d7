import { useId, useState } from "react";
import { useWords } from "../../app/language.ts";
import { spaced } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { IconButton } from "../../ui/parts.tsx";
import { useProposals } from "./answer.ts";
import type { Askable } from "./fields.ts";
import { OPERATORS_OF, type Condition, type Field, type Operator, type Question } from "./question.ts";
import type { Change } from "./Questions.tsx";
import { words, type QuestionWords } from "./words.ts";

interface Props {
  question: Question;
  known: Askable;
  change: Change;
}

/** The conditions, one a line; all of them have to hold. */
export function Conditions({ question: { conditions }, known, change }: Props) {
  const { fields } = known;
  const w = useWords(words) as QuestionWords;
  const put = (at: number, next: Condition | undefined) =>
    change({ conditions: conditions.flatMap((condition, place) => (place !== at ? [condition] : next ? [next] : [])) });
  const add = () => {
    const field = fields.find(({ name }) => !conditions.some(({ column }) => column === name) && isLikely(name)) ?? fields[0];
    if (field) change({ conditions: [...conditions, fresh(field)] });
  };
  return (
    <div className="ask-conditions">
      {conditions.map((condition, at) => (
        <Row key={at} condition={condition} known={known} put={(next) => put(at, next)} />
      ))}
      <button type="button" className="ask-add" onClick={add} disabled={fields.length === 0}>
        <Icon name="plus" size={14} />
        {conditions.length === 0 ? w.addFirst : w.add}
      </button>
    </div>
  );
}

const isLikely = (name: string) => !/^(dataProvider|address|alternateName)$|__/.test(name);
const USUAL: Readonly<Record<Field["kind"], Operator>> = { number: "ge", text: "eq", boolean: "eq", moment: "ge", id: "eq", json: "eq" };
const fresh = ({ name, kind }: Field): Condition => ({ column: name, operator: USUAL[kind], values: [kind === "boolean" ? "true" : ""] });

function Row({ condition, known, put }: { condition: Condition; known: Askable; put: (next: Condition | undefined) => void }) {
  const w = useWords(words) as QuestionWords;
  const { fields } = known;
  const list = useId();
  const { column, operator } = condition;
  const field = fields.find(({ name }) => name === column);
  const { data: proposals = [] } = useProposals(known, field);
  const choose = (name: string) => {
    const next = fields.find((field) => field.name === name);
    if (next) put(next.kind === field?.kind ? { ...condition, column: name } : fresh(next));
  };
  return (
    <div className="ask-condition" data-kind={field?.kind} data-operator={operator} role="group" aria-label={spaced(column)}>
      <select className="select" aria-label={w.column} value={column} onChange={(event) => choose(event.target.value)}>
        {!field && <option value={column}>{spaced(column)}</option>}
        {fields.map(({ name }) => (
          <option key={name} value={name}>
            {spaced(name)}
          </option>
        ))}
      </select>
      {field && (
        <select className="select" aria-label={w.operator} value={operator} onChange={(event) => put({ ...condition, operator: event.target.value as Operator })}>
          {OPERATORS_OF[field.kind].map((operator) => (
            <option key={operator} value={operator}>
              {operatorWord(w, operator, field.kind)}
            </option>
          ))}
        </select>
      )}
      {field && operator === "in" && <Values condition={condition} field={field} put={put} list={list} />}
      {field && !["in", "exists", "missing"].includes(operator) && <Value condition={condition} field={field} put={put} list={list} />}
      <datalist id={list}>{proposals.map((value) => <option key={value} value={value} />)}</datalist>
      {!field && <span className="small bad">{w.unknown}</span>}
      <IconButton icon="close" size={14} className="small" label={w.remove} onClick={() => put(undefined)} />
    </div>
  );
}

function operatorWord(w: QuestionWords, operator: Operator, kind: Field["kind"]): string {
  const ofTime = kind === "moment" ? (w.times as Partial<Record<Operator, string>>)[operator] : undefined;
  return ofTime ?? w.ops[operator];
}

interface ValueProps {
  condition: Condition;
  field: Field;
  put: (next: Condition) => void;
  /** The list of proposals. */
  list: string;
}

const TYPES = { number: "number", moment: "datetime-local", text: "text", id: "text", json: "text", boolean: "text" } as const;

function Value({ condition, field, put, list }: ValueProps) {
  const w = useWords(words);
  const value = condition.values[0] ?? "";
  const set = (next: string) => put({ ...condition, values: [next] });
  if (field.kind === "boolean") {
    return (
      <select className="select" aria-label={w.value} value={value} onChange={(event) => set(event.target.value)}>
        <option value="true">{w.yes}</option>
        <option value="false">{w.no}</option>
      </select>
    );
  }
  return (
    <input className="field" aria-label={w.value} placeholder={w.value} type={TYPES[field.kind]} step="any" value={value} list={field.kind === "text" ? list : undefined}
      spellCheck={false} autoComplete="off" onChange={(event) => set(event.target.value)} />
  );
}

/** A list: what is typed joins it with Enter. */
function Values({ condition, field, put, list }: ValueProps) {
  const w = useWords(words);
  const [text, setText] = useState("");
  const values = condition.values.filter((value) => value !== "");
  const add = () => {
    if (text !== "" && !values.includes(text)) put({ ...condition, values: [...values, text] });
    setText("");
  };
  return (
    <div className="ask-values">
      {values.map((value) => (
        <button key={value} type="button" className="chip" aria-label={`${w.removeValue} ${value}`}
          onClick={() => put({ ...condition, values: values.filter((other) => other !== value) })}>
          {value}
          <Icon name="close" size={10} />
        </button>
      ))}
      <input className="field" aria-label={w.value} placeholder={w.anotherValue} value={text} list={field.kind === "text" ? list : undefined} type={TYPES[field.kind]} step="any" spellCheck={false} autoComplete="off"
        onChange={(event) => setText(event.target.value)} onBlur={add}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          add();
        }} />
    </div>
  );
}
