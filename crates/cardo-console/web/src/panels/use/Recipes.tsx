import type { ReactNode } from "react";
import { useWords } from "../../app/language.ts";
import { Code } from "../../ui/Code.tsx";
import * as snippets from "./snippets.ts";
import type { Target } from "./snippets.ts";
import { words } from "./words.ts";

export const WAYS = ["qgis", "map", "python", "javascript", "line"] as const;
export type Way = (typeof WAYS)[number];

interface RecipesProps {
  way: Way;
  target: Target;
  hasTiles: boolean;
}

type Write = (target: Target) => string;

/** What to do in one program. */
export function Recipes({ way, target, hasTiles }: RecipesProps) {
  const w = useWords(words);
  if (way === "qgis") return <Qgis target={target} hasTiles={hasTiles} />;
  const isPlaced = target.type.extent !== undefined;
  const all: Record<Exclude<Way, "qgis">, [title: string, write: Write, isThere: boolean][]> = {
    map: [[w.tilesWith, snippets.mapLibre, hasTiles && isPlaced], [w.geojsonWith, snippets.leaflet, isPlaced]],
    python: [[w.asFrame, snippets.geopandas, true], [w.byOws, snippets.owslib, true], [w.byNgsi, snippets.ngsiPython, true]],
    javascript: [[w.allFeatures, snippets.javaScript, true]],
    line: [[w.toFile, snippets.ogr2ogr, true], [w.part, snippets.curlFeatures, true], [w.entities, snippets.curlEntities, true], [w.counts, snippets.curlCounts, true]],
  };
  return (
    <>
      {all[way].filter(([, , isThere]) => isThere).map(([title, write]) => (
        <Recipe key={title} title={title}>
          <Code label={title} text={write(target)} />
        </Recipe>
      ))}
    </>
  );
}

function Recipe({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="recipe">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Qgis({ target, hasTiles }: { target: Target; hasTiles: boolean }) {
  const w = useWords(words);
  const { features, tiles } = snippets.addressesOf(target);
  const isPlaced = target.type.extent !== undefined;
  return (
    <>
      <Recipe title={`${w.features}: ${w.qgisFeatures.toLowerCase()}`}>
        <ol className="steps">
          <li>{w.qf1}</li>
          <li>{w.qf2}<Code label={w.features} text={features} /></li>
          {target.hasToken && <li>{w.qToken}</li>}
          <li>{w.qf3}</li>
          <li>{w.qf4.replace("{0}", target.type.name)}</li>
        </ol>
      </Recipe>
      {hasTiles && isPlaced && (
        <Recipe title={`${w.tiles}: ${w.qgisTiles.toLowerCase()}`}>
          <ol className="steps">
            <li>{w.qt1}</li>
            <li>{w.qt2}<Code label={w.tiles} text={tiles} /></li>
            {target.hasToken && <li>{w.qToken}</li>}
            <li>{w.qt3}</li>
          </ol>
        </Recipe>
      )}
    </>
  );
}
