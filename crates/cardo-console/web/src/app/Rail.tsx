import { PANELS } from "../panels/registry.ts";
import { Icon } from "../ui/icons.tsx";
import { useLanguage, useWords } from "./language.ts";
import { changeView, useView } from "./view.ts";
import { words } from "./words/shell.ts";

/** The parts of the console; the open one is pressed, and pressing it again closes it. */
export function Rail() {
  const { panel: open } = useView();
  const w = useWords(words);
  const language = useLanguage();
  return (
    <nav className="rail card" aria-label={w.parts}>
      {PANELS.map((panel) => (
        <button key={panel.id} type="button" className="rail-item" aria-pressed={panel.id === open}
          onClick={() => changeView({ panel: panel.id === open ? undefined : panel.id })}>
          <Icon name={panel.icon} size={20} />
          <span>{panel.words[language].title}</span>
        </button>
      ))}
    </nav>
  );
}
