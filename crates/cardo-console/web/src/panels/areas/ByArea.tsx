import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useWords } from "../../app/language.ts";
import { changeMore, useView } from "../../app/view.ts";
import { askByArea, byArea, tablePath } from "../../data/figures.ts";
import { useCounts, useTypes } from "../../data/twin.ts";
import { roleOf } from "../../map/roles.ts";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { number, spaced } from "../../ui/format.ts";
import { AreaTable } from "./AreaTable.tsx";
import { writeArea } from "./area.ts";
import { Choices } from "./Choices.tsx";
import { Downloads } from "./Downloads.tsx";
import { tableCsv, tableGeoJson } from "./files.ts";
import { ShadeHint, ShadeLegend } from "./Legend.tsx";
import { numbersOf, readMeasure, type Measure, type Row } from "./measure.ts";
import { usePlaces } from "./places.ts";
import { shadesOf, useShades } from "./shade.ts";
import { words } from "./words.ts";

/** How many types are counted before anybody chose. */
const SOME = 4;

/** Types that can be counted, those that are most asked for first. */
function useCountable(areas: string): string[] | undefined {
  const { data: types } = useTypes();
  const { data: counts } = useCounts(types);
  if (!types || !counts) return undefined;
  const isWanted = (name: string) => ["data", "building", "tree"].includes(roleOf(name));
  const names = types.filter(({ name, extent }) => extent && name !== areas).map(({ name }) => name);
  return names.sort((a, b) => Number(isWanted(b)) - Number(isWanted(a)) || (counts[b] ?? 0) - (counts[a] ?? 0));
}

/** What is in each of many areas: a table, and shades on the map. */
export function ByArea({ types }: { types: readonly string[] }) {
  const { more } = useView();
  const areas = more["areas"] && types.includes(more["areas"]) ? more["areas"] : types[0]!;
  const countable = useCountable(areas);
  if (!countable) return <Skeleton lines={8} />;
  const asked = more["counted"]?.split(",").filter((name) => countable.includes(name));
  return <Counted key={areas} areas={areas} types={types} countable={countable} counted={asked ?? countable.slice(0, SOME)} />;
}

interface CountedProps {
  areas: string;
  types: readonly string[];
  countable: readonly string[];
  counted: readonly string[];
}

/** The figures joined with the areas. */
function useRows(areas: string, counted: readonly string[]) {
  const places = usePlaces(areas);
  const total = places.data?.total ?? 0;
  const figures = useQuery({
    queryKey: ["figures by area", areas, counted, total],
    queryFn: ({ signal }) => askByArea(areas, counted, total, signal),
    enabled: counted.length > 0 && total > 0,
    refetchInterval: 30_000,
    placeholderData: (before) => before,
  });
  const rows = useMemo(() => {
    if (!places.data || !figures.data) return undefined;
    const types = new Map(figures.data.map(({ area, types }) => [area.id, types]));
    return places.data.places.flatMap((place): Row[] => (types.has(place.id) ? [{ place, types: types.get(place.id)! }] : []));
  }, [places.data, figures.data]);
  const retry = () => {
    void places.refetch();
    void figures.refetch();
  };
  return { rows, total, error: places.error ?? figures.error, retry };
}

function Counted({ areas, types, countable, counted }: CountedProps) {
  const w = useWords(words);
  const { more } = useView();
  const { rows, total, error, retry } = useRows(areas, counted);
  const [marked, setMarked] = useState<string>();
  const asked = readMeasure(more["shade"]);
  const measure: Measure | undefined = asked && counted.includes(asked.type) ? asked : counted[0] ? { type: counted[0], figure: "count" } : undefined;
  const key = JSON.stringify(measure);
  const shades = useMemo(() => (rows && measure ? shadesOf(rows, measure) : undefined), [rows, key]);
  const open = (id: string) => changeMore({ figures: undefined, area: writeArea({ kind: "of", type: areas, id }) }, "step");
  const pointed = useShades(shades, marked, open);
  const numbers = useMemo(() => numbersOf(rows ?? []), [rows]);
  const files = rows && { csv: () => tableCsv(rows, counted), geojson: () => tableGeoJson(rows, counted) };
  return (
    <>
      <Choices areas={areas} types={types} countable={countable} counted={counted} measure={measure} numbers={numbers} />
      {error !== null && !rows && <Failure error={error} retry={retry} />}
      {counted.length === 0 && <Empty title={w.noTypes} />}
      {!error && !rows && counted.length > 0 && <Skeleton lines={8} />}
      {rows && measure && shades && counted.length > 0 && (
        <>
          <ShadeLegend shades={shades} />
          <AreaTable rows={rows} counted={counted} measure={measure} marked={pointed?.id ?? marked} mark={setMarked} open={open} />
          <p className="quiet small">
            {total > rows.length && `${w.part.replace("{0}", number(rows.length, 0)).replace("{1}", number(total, 0))} `}
            {w.onceHelp}
          </p>
          {files && <Downloads name={spaced(areas)} files={files} question={byArea(areas, counted, total)} table={tablePath(areas, counted, "csv")} />}
          <ShadeHint shades={shades} pointed={pointed} rows={rows} />
        </>
      )}
    </>
  );
}
