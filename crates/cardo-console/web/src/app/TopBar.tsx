import { useWords } from "./language.ts";
import { LiveState } from "./LiveState.tsx";
import { LanguageSwitch, ThemeSwitch } from "./Switches.tsx";
import { Search } from "./Search.tsx";
import { TimeSwitch } from "./TimeSwitch.tsx";
import { words } from "./words/shell.ts";

export function TopBar() {
  const w = useWords(words);
  return (
    <header className="top">
      <Search label={w.search} />
      <div className="top-end card">
        <LiveState />
        <TimeSwitch />
        <ThemeSwitch />
        <LanguageSwitch />
      </div>
    </header>
  );
}
