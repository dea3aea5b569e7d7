import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { useWords } from "../../app/language.ts";
import { changeView, useView } from "../../app/view.ts";
import { getJson } from "../../data/http.ts";
import type { Layer } from "../../map/plan.ts";
import { spaced } from "../../ui/format.ts";
import { words } from "./words.ts";

interface Schema {
  properties: Record<string, { type?: string }>;
}

/** Chooses the number that a layer is coloured by. */
export function ColourBy({ layer }: { layer: Layer }) {
  const w = useWords(words);
  const id = useId();
  const { by, show, hide } = useView();
  const { name } = layer.type;
  const { data: schema } = useQuery({
    queryKey: ["schema", name],
    queryFn: ({ signal }) => getJson<Schema>(`ogc/collections/${encodeURIComponent(name)}/schema`, signal, "application/schema+json"),
    staleTime: 60_000,
  });
  const numbers = Object.entries(schema?.properties ?? {}).flatMap(([column, { type }]) => (type === "number" ? [column] : []));
  const choose = (column: string) => {
    const { [name]: _, ...others } = by;
    // What is given a colour is to be seen.
    const seen = layer.isVisible ? { show, hide } : { show: [...show, name], hide: hide.filter((other) => other !== name) };
    changeView({ by: column ? { ...others, [name]: column } : others, ...seen }, "quiet");
  };
  return (
    <div className="colour-by">
      <label htmlFor={id}>{w.colourBy}</label>
      <select id={id} className="select" value={by[name] ?? ""} onChange={(event) => choose(event.target.value)}>
        <option value="">{w.one}</option>
        {numbers.map((column) => (
          <option key={column} value={column}>
            {spaced(column)}
          </option>
        ))}
      </select>
    </div>
  );
}
