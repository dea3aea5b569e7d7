import { useEffect, useRef, useState } from "react";
import { useWords } from "../../app/language.ts";
import { mapHandle } from "../../map/handle.ts";
import { number } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button } from "../../ui/parts.tsx";
import { drawRing, pickPlace, type Stop } from "./draw.ts";
import { short, type Area, type Question } from "./question.ts";
import type { Change } from "./Questions.tsx";
import { words } from "./words.ts";

type Kind = "everywhere" | Area["kind"];

const rounded = (at: readonly number[]): [number, number] => [Number(short(at[0]!)), Number(short(at[1]!))];

function middle(): [number, number] | undefined {
  const at = mapHandle.get()?.getCenter();
  return at && rounded([at.lng, at.lat]);
}

/** Where one asks: anywhere, in the view, inside what is drawn, or near a place. */
export function AreaChoice({ question: { area }, change }: { question: Question; change: Change }) {
  const w = useWords(words);
  const [wanted, setWanted] = useState<Kind>();
  const [doing, setDoing] = useState<"drawing" | "picking">();
  const stop = useRef<Stop>(undefined);
  useEffect(() => () => stop.current?.(), []);
  const end = () => {
    stop.current?.();
    stop.current = undefined;
    setDoing(undefined);
  };
  const draw = async () => {
    end();
    setDoing("drawing");
    stop.current = await drawRing((ring) => change({ area: { kind: "polygon", ring: ring.map(rounded) } }), end);
  };
  const near = area?.kind === "near" ? area : undefined;
  const pick = () => {
    end();
    setDoing("picking");
    stop.current = pickPlace((at) => change({ area: { kind: "near", at: rounded(at), distance: near?.distance ?? 500 } }), end);
  };
  const choose = (kind: Kind) => {
    end();
    setWanted(kind);
    const at = middle();
    if (kind === "everywhere") change({ area: undefined });
    if (kind === "view") change({ area: { kind: "view" } });
    if (kind === "near" && at) change({ area: { kind: "near", at, distance: 500 } });
    if (kind === "polygon") {
      change({ area: undefined });
      void draw();
    }
  };
  const kind: Kind = area?.kind ?? (wanted === "polygon" ? "polygon" : "everywhere");
  const kinds: [Kind, string][] = [["everywhere", w.everywhere], ["view", w.view], ["near", w.near], ["polygon", w.drawn]];
  return (
    <fieldset className="ask-row">
      <legend className="ask-label">{w.where}</legend>
      <div className="ask-where">
        <div className="segments">
          {kinds.map(([value, word]) => (
            <label key={value} className="segment">
              <input type="radio" name="where" value={value} checked={kind === value} onChange={() => choose(value)} />
              <span>{word}</span>
            </label>
          ))}
        </div>
        {near && (
          <div className="ask-place">
            <label>
              {w.within}{" "}
              <input className="field" type="number" min={1} step={50} value={near.distance}
                onChange={(event) => Number(event.target.value) > 0 && change({ area: { ...near, distance: Number(event.target.value) } })} />{" "}
              {w.metres}
            </label>
            <span className="num quiet small">{near.at.map((degrees) => number(degrees, 5)).reverse().join(", ")}</span>
            <Button onClick={pick}><Icon name="place" size={15} />{w.pick}</Button>
            <Button onClick={() => { const at = middle(); if (at) change({ area: { ...near, at } }); }}>{w.middle}</Button>
          </div>
        )}
        {kind === "polygon" && doing !== "drawing" && (
          <div className="ask-place">
            {area?.kind === "polygon" && <span className="quiet small num">{area.ring.length} {w.corners}</span>}
            <Button onClick={() => void draw()}><Icon name="area" size={15} />{area ? w.drawAgain : w.draw}</Button>
          </div>
        )}
        {doing && <p className="ask-hint small" role="status">{doing === "drawing" ? w.drawing : w.picking}</p>}
      </div>
    </fieldset>
  );
}
