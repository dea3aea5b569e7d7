import { useEffect } from "react";
import { CityMap } from "../map/CityMap.tsx";
import { Entity } from "../panels/entity/Entity.tsx";
import { PANELS } from "../panels/registry.ts";
import { useWords } from "./language.ts";
import { OfflineBar } from "./OfflineBar.tsx";
import { PanelFrame } from "./PanelFrame.tsx";
import { Rail } from "./Rail.tsx";
import { SignIn } from "./SignIn.tsx";
import { TopBar } from "./TopBar.tsx";
import { changeView, useView } from "./view.ts";
import { words } from "./words/shell.ts";

/** The map, and what floats over it. */
export function Shell() {
  const view = useView();
  const w = useWords(words);
  const panel = PANELS.find((panel) => panel.id === view.panel);
  useEscape();
  return (
    <div className="shell" data-panel={panel ? "" : undefined} data-drawer={view.entity ? "" : undefined}>
      {panel && <a className="skip" href="#panel" onClick={focusPanel}>{w.skip}</a>}
      <main className="stage" aria-label={w.map}>
        <CityMap />
      </main>
      <TopBar />
      <Rail />
      {panel && <PanelFrame key={panel.id} panel={panel} />}
      {view.entity && <Entity key={view.entity} id={view.entity} />}
      <OfflineBar />
      <SignIn />
    </div>
  );
}

function focusPanel(event: React.MouseEvent) {
  // The fragment is the view's, so the link must not follow itself.
  event.preventDefault();
  document.getElementById("panel")?.focus();
}

/** Escape closes what was opened last: the entity, then the panel. */
function useEscape() {
  const { entity, panel } = useView();
  useEffect(() => {
    const close = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      if (entity) changeView({ entity: undefined });
      else if (panel) changeView({ panel: undefined });
    };
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [entity, panel]);
}
