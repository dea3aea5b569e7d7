import { useWords } from "../../app/language.ts";
import { changeMore, useView } from "../../app/view.ts";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { Segments } from "../../ui/Segments.tsx";
import { ByArea } from "./ByArea.tsx";
import { OneArea } from "./OneArea.tsx";
import { useAreaTypes } from "./places.ts";
import { words } from "./words.ts";
import "./areas.css";

/** What is in an area, or in each of many. */
export default function Areas() {
  const w = useWords(words);
  const { more } = useView();
  const { names, error, retry } = useAreaTypes();
  const isMany = more["figures"] === "by-area";
  const choose = (figures: string) => changeMore({ figures: figures === "one" ? undefined : figures }, "step");
  return (
    <div className="areas">
      <Segments label={w.areas} chosen={isMany ? "by-area" : "one"} choose={choose} options={[["one", w.one], ["by-area", w.many]]} />
      {!isMany && <OneArea types={names ?? []} />}
      {isMany && error !== null && <Failure error={error} retry={retry} />}
      {isMany && !error && !names && <Skeleton lines={8} />}
      {isMany && names?.length === 0 && <Empty title={w.noAreas}>{w.noAreasHelp}</Empty>}
      {isMany && names && names.length > 0 && <ByArea types={names} />}
    </div>
  );
}
