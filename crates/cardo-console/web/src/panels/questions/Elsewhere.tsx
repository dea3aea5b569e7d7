import { useState } from "react";
import { useWords } from "../../app/language.ts";
import { base, token } from "../../data/http.ts";
import { number, spaced } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { CopyButton } from "./CopyButton.tsx";
import type { Askable } from "./fields.ts";
import type { Placed } from "./question.ts";
import { curl, inGraphql, inNgsi, inOgc, type Face, type Gap, type Said } from "./say.ts";
import { shownColumns } from "./answer.ts";
import { filled, words, type QuestionWords } from "./words.ts";

const FACES: Record<Face, string> = { ngsi: "NGSI-LD", ogc: "OGC API", graphql: "GraphQL" };

function said(face: Face, question: Placed, known: Askable): Said {
  if (face === "ngsi") return inNgsi(question, known);
  if (face === "ogc") return inOgc(question, known);
  const columns = shownColumns(question, known).map((column) => known.selects[column]!);
  return inGraphql(question, known, ["id", ...columns]);
}

/** The same question, to be asked without this page. */
export function Elsewhere({ question, known }: { question: Placed; known: Askable }) {
  const w = useWords(words) as QuestionWords;
  const [face, setFace] = useState<Face>("ngsi");
  if (question.type !== known.collection) return null;
  const saying = said(face, question, known);
  const command = curl(face, saying, base(), token() !== null);
  return (
    <section className="elsewhere" aria-label={w.same}>
      <h3>{w.same}</h3>
      <div className="segments" role="group" aria-label={w.same}>
        {(Object.keys(FACES) as Face[]).map((value) => (
          <label key={value} className="segment">
            <input type="radio" name="face" value={value} checked={face === value} onChange={() => setFace(value)} />
            <span>{FACES[value]}</span>
          </label>
        ))}
      </div>
      <Gaps gaps={saying.gaps} face={face} first={question.first} isSaid={saying.path !== undefined} />
      {saying.path !== undefined && (
        <>
          <code className="said" tabIndex={0} data-face={face}>{face === "graphql" ? saying.text : <Address path={saying.path} />}</code>
          <div className="said-do">
            <CopyButton text={base() + saying.path} label={w.copyAddress}>{w.address}</CopyButton>
            {face === "graphql" && <CopyButton text={saying.text ?? ""} label={w.copyQuery}>{w.query}</CopyButton>}
            {command && <CopyButton text={command} label={w.copyCurl}>curl</CopyButton>}
            <a className="button said-open" target="_blank" rel="noreferrer" href={opened(face, saying)}>
              <Icon name="out" size={14} />
              {w.open}
            </a>
          </div>
        </>
      )}
    </section>
  );
}

/** GraphQL opens with its workbench, the others with the answer. */
const opened = (face: Face, { path, text }: Said): string =>
  face === "graphql" && text ? `${base()}graphql#query=${encodeURIComponent(text)}` : base() + path;

/** An address as a reader reads it: each parameter on a line, without escapes. */
function Address({ path }: { path: string }) {
  const [before, query = ""] = path.split("?");
  return (
    <>
      /{before}
      {query.split("&").filter(Boolean).map((member, at) => (
        <span key={member} className="said-member">
          {at === 0 ? "?" : "&"}
          {decodeURIComponent(member)}
        </span>
      ))}
    </>
  );
}

function Gaps({ gaps, face, first, isSaid }: { gaps: readonly Gap[]; face: Face; first: number; isSaid: boolean }) {
  const w = useWords(words) as QuestionWords;
  const name = FACES[face];
  const reasons = gaps.filter(({ what }) => what !== "order");
  return (
    <>
      {!isSaid && (
        <div className="gaps" role="status">
          <p>{filled(w.cannot, { face: name })}</p>
          <ul>
            {reasons.map((gap) => (
              <li key={JSON.stringify(gap)}>{sentence(gap, face, w)}</li>
            ))}
          </ul>
        </div>
      )}
      {isSaid && gaps.some(({ what }) => what === "order") && <p className="small quiet">{filled(w.gapOrder, { face: name, n: number(first, 0) })}</p>}
    </>
  );
}

function sentence(gap: Gap, face: Face, w: QuestionWords): string {
  const column = "column" in gap ? spaced(gap.column) : "";
  const of = { operator: w.gapOperator, column: face === "ogc" ? w.gapColumnOgc : w.gapColumnNgsi, polygon: w.gapPolygon, near: w.gapNear, order: "" };
  return filled(of[gap.what], { column });
}
