import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useWords } from "../../app/language.ts";
import { changeMore, useView } from "../../app/view.ts";
import { askInArea, inArea } from "../../data/figures.ts";
import { boxOf, showBox } from "../../map/handle.ts";
import { Empty, Failure, IconButton, Skeleton } from "../../ui/parts.tsx";
import { number } from "../../ui/format.ts";
import { polygonOf, readArea, sizeOf, type Area } from "./area.ts";
import { Downloads } from "./Downloads.tsx";
import { areaCsv, areaGeoJson } from "./files.ts";
import { Figures } from "./Figures.tsx";
import { useAreaOutline } from "./outline.ts";
import { usePlace, type Place } from "./places.ts";
import { Tools } from "./Tools.tsx";
import { words } from "./words.ts";

/** One area, drawn or chosen, and what is in it. */
export function OneArea({ types }: { types: readonly string[] }) {
  const { more } = useView();
  const area = useMemo(() => readArea(more["area"]), [more["area"]]);
  const found = useFound(area);
  useAreaOutline(found.place?.geometry);
  return (
    <>
      <Tools types={types} area={area} />
      <Found area={area} {...found} />
    </>
  );
}

interface FoundState {
  place: Place | undefined;
  isGone: boolean;
  error: unknown;
  retry: () => void;
}

/** The area with its name and geometry. */
function useFound(area: Area | undefined): FoundState {
  const w = useWords(words);
  const chosen = area?.kind === "of" ? area : undefined;
  const { data, error, refetch } = usePlace(chosen?.type, chosen?.id);
  const drawn = useMemo(() => {
    if (!area || area.kind === "of") return undefined;
    const geometry = polygonOf(area);
    const name = { box: w.drawnBox, polygon: w.drawnPolygon, circle: w.drawnCircle }[area.kind];
    return { id: "area", name, geometry, size: sizeOf(geometry) ?? 0 };
  }, [area, w]);
  return { place: chosen ? (data ?? undefined) : drawn, isGone: chosen !== undefined && data === null, error, retry: () => void refetch() };
}

function Found({ area, place, isGone, error, retry }: FoundState & { area: Area | undefined }) {
  const w = useWords(words);
  if (!area) return <Empty title={w.start}>{w.startHelp}</Empty>;
  if (error) return <Failure error={error} retry={retry} />;
  if (isGone) return <Empty title={w.gone}>{w.goneHelp}</Empty>;
  if (!place) return <Skeleton lines={6} />;
  return <Result area={area} place={place} />;
}

function Result({ area, place }: { area: Area; place: Place }) {
  const w = useWords(words);
  const question = useMemo(() => inArea(place.geometry), [place.geometry]);
  const { data, error, refetch } = useQuery({
    queryKey: ["figures", question],
    queryFn: ({ signal }) => askInArea(question, signal),
    refetchInterval: 15_000,
  });
  const total = data?.reduce((sum, { count }) => sum + count, 0);
  const files = data && {
    csv: () => areaCsv(data),
    geojson: () => areaGeoJson(place.geometry, place.name, place.size, data),
  };
  return (
    <section className="area-result" aria-label={place.name}>
      <header>
        <div>
          <h3 className="area-name">{place.name}</h3>
          <p className="quiet small num">
            {sized(place.size)}
            {area.kind === "circle" && ` · ${w.radius} ${number(area.radius, 0)}\u202fm`}
          </p>
        </div>
        <IconButton icon="place" label={w.show} onClick={() => showBox(boxOf(place.geometry))} />
        <IconButton icon="close" label={w.clear} onClick={() => changeMore({ area: undefined }, "step")} />
      </header>
      {error !== null && !data && <Failure error={error} retry={() => void refetch()} />}
      {!error && !data && <Skeleton lines={7} />}
      {total === 0 && <Empty title={w.nothing}>{w.nothingHelp}</Empty>}
      {data && total !== undefined && total > 0 && (
        <>
          <p className="area-total"><b className="num">{number(total, 0)}</b> <span className="quiet">{w.things} {w.inIt}</span></p>
          <Figures types={data} />
        </>
      )}
      {files && <Downloads name={place.name} files={files} question={question} />}
    </section>
  );
}

/** An area in the unit that suits its size. */
export const sized = (size: number) => (size < 1e5 ? `${number(size, 0)}\u202fm²` : `${number(size / 1e6, 2)}\u202fkm²`);
