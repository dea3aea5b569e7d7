import { useId } from "react";
import { useWords } from "../../app/language.ts";
import { changeMore, useView } from "../../app/view.ts";
import { token, url } from "../../data/http.ts";
import { useHasTiles, useKinds, useTypes } from "../../data/twin.ts";
import { colourOf } from "../../map/palette.ts";
import { spaced } from "../../ui/format.ts";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { Addresses } from "./Addresses.tsx";
import { Faces } from "./Faces.tsx";
import { Recipes, WAYS, type Way } from "./Recipes.tsx";
import type { Target } from "./snippets.ts";
import { words } from "./words.ts";
import "./use.css";

/** How to use the twin in other programs. */
export default function Use() {
  const w = useWords(words);
  const id = useId();
  const { more } = useView();
  const { data: types, error, refetch } = useTypes();
  const { data: kinds } = useKinds(types);
  const { data: hasTiles } = useHasTiles();
  if (error && !types) return <Failure error={error} retry={() => void refetch()} />;
  if (!types) return <Skeleton lines={8} />;
  const type = types.find(({ name }) => name === more["layer"]) ?? types.find(({ extent }) => extent) ?? types[0];
  const way = WAYS.find((way) => way === more["in"]) ?? "qgis";
  const names: Record<Way, string> = { qgis: "QGIS", map: w.map, python: "Python", javascript: "JavaScript", line: w.line };
  const target: Target | undefined = type && { type, kind: kinds?.[type.name], colour: colourOf(type.name), url, hasToken: token() !== null };
  return (
    <div className="use">
      {!target && <Empty title={w.empty}>{w.emptyHelp}</Empty>}
      {target && (
        <>
          <div className="use-layer">
            <label htmlFor={id}>{w.layer}</label>
            <select id={id} className="select" value={target.type.name} onChange={(event) => changeMore({ layer: event.target.value })}>
              {types.map(({ name }) => <option key={name} value={name}>{spaced(name)}</option>)}
            </select>
          </div>
          <Segments label={w.where} chosen={way} choose={(next) => changeMore({ in: next })} options={WAYS.map((way) => [way, names[way]])} />
          {target.hasToken && <p className="use-token small">{w.token}</p>}
          <Recipes way={way} target={target} hasTiles={hasTiles ?? false} />
          <Addresses target={target} hasTiles={hasTiles ?? false} />
        </>
      )}
      <Faces />
    </div>
  );
}
