import { lazy, Suspense, useMemo } from "react";
import type { Panel } from "../panels/registry.ts";
import { IconButton, Skeleton } from "../ui/parts.tsx";
import { Boundary } from "./Boundary.tsx";
import { useLanguage, useWords } from "./language.ts";
import { changeView } from "./view.ts";
import { words } from "./words/shell.ts";

/** A panel beside the rail; on a phone, a sheet from below. */
export function PanelFrame({ panel }: { panel: Panel }) {
  const w = useWords(words);
  const language = useLanguage();
  const Content = useMemo(() => lazy(panel.load), [panel]);
  return (
    <section className="panel card" id="panel" data-wide={panel.isWide ? "" : undefined} tabIndex={-1} aria-labelledby="panel-title">
      <header className="panel-head">
        <h2 id="panel-title">{panel.words[language].title}</h2>
        <IconButton icon="close" label={w.closePanel} onClick={() => changeView({ panel: undefined })} />
      </header>
      <div className="panel-body">
        <Boundary>
          <Suspense fallback={<Skeleton lines={6} />}>
            <Content />
          </Suspense>
        </Boundary>
      </div>
    </section>
  );
}
