import { useState } from "react";
import { useWords } from "../../app/language.ts";
import { useTheme } from "../../app/theme.ts";
import { changeMore } from "../../app/view.ts";
import { seenBox } from "../../map/handle.ts";
import { spaced } from "../../ui/format.ts";
import { Icon, type IconName } from "../../ui/icons.tsx";
import { boxArea, writeArea, type Area } from "./area.ts";
import { BoxForm } from "./BoxForm.tsx";
import { useDrawing, type Tool } from "./draw.ts";
import { ACCENT } from "./outline.ts";
import { usePicking } from "./pick.ts";
import { usePlaces } from "./places.ts";
import { words } from "./words.ts";

const TOOLS: readonly [Tool, IconName][] = [["polygon", "polygon"], ["rectangle", "rectangle"], ["circle", "circle"]];

const take = (area: Area | undefined) => area && changeMore({ area: writeArea(area) }, "step");

function takeView() {
  const box = seenBox();
  if (box) take(boxArea(box));
}

/** The ways to say which area. */
export function Tools({ types, area }: { types: readonly string[]; area: Area | undefined }) {
  const w = useWords(words);
  const [tool, setTool] = useState<Tool>();
  const stop = () => setTool(undefined);
  const done = (drawn: Area) => {
    stop();
    take(drawn);
  };
  useDrawing(tool, ACCENT[useTheme()], done, stop);
  const hint = tool && { polygon: w.hintPolygon, rectangle: w.hintRectangle, circle: w.hintCircle }[tool];
  return (
    <div className="tools">
      <div className="tool-row" role="group" aria-label={w.draw}>
        {TOOLS.map(([name, icon]) => (
          <button key={name} type="button" className="tool" aria-pressed={tool === name} onClick={() => setTool(tool === name ? undefined : name)}>
            <Icon name={icon} />
            {w[name]}
          </button>
        ))}
        <button type="button" className="tool" onClick={takeView}>
          <Icon name="eye" />
          {w.view}
        </button>
      </div>
      <p className="tool-hint small" aria-live="polite">{hint}</p>
      {types.length > 0 && <Chooser types={types} area={area} isIdle={!tool} />}
      <BoxForm area={area} take={take} />
    </div>
  );
}

/** Takes an area that is an entity, from a list or on the map. */
function Chooser({ types, area, isIdle }: { types: readonly string[]; area: Area | undefined; isIdle: boolean }) {
  const w = useWords(words);
  const chosen = area?.kind === "of" ? area : undefined;
  const [wanted, setWanted] = useState(chosen?.type);
  const type = wanted && types.includes(wanted) ? wanted : types[0]!;
  const { data } = usePlaces(type);
  const [isPicking, setPicking] = useState(false);
  const choose = (id: string) => id && take({ kind: "of", type, id });
  usePicking(isIdle && isPicking ? data?.places : undefined, choose, () => setPicking(false));
  return (
    <div className="chooser">
      <span className="quiet">{w.pick}</span>
      <select className="select" aria-label={w.pickType} value={type} onChange={(event) => setWanted(event.target.value)}>
        {types.map((name) => <option key={name} value={name}>{spaced(name)}</option>)}
      </select>
      <select className="select" aria-label={w.pickPlace} value={chosen?.type === type ? chosen.id : ""} onChange={(event) => choose(event.target.value)}>
        <option value="">{w.chooseOne}</option>
        {data?.places.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      </select>
      <button type="button" className="icon-button" aria-pressed={isPicking} aria-label={w.onMap} title={w.onMap} onClick={() => setPicking(!isPicking)}>
        <Icon name="place" />
      </button>
    </div>
  );
}
