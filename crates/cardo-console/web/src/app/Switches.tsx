import { IconButton } from "../ui/parts.tsx";
import { chooseLanguage, LANGUAGES, useLanguage, useWords, type Language } from "./language.ts";
import { chooseTheme, useThemeChoice } from "./theme.ts";
import { words } from "./words/shell.ts";

const THEMES = ["light", "dark", "system"] as const;

/** Goes round light, dark and what the system says. */
export function ThemeSwitch() {
  const w = useWords(words);
  const choice = useThemeChoice();
  const next = THEMES[(THEMES.indexOf(choice) + 1) % THEMES.length]!;
  const icon = choice === "light" ? "sun" : choice === "dark" ? "moon" : "system";
  return <IconButton icon={icon} label={`${w.theme}: ${w[choice]}`} onClick={() => chooseTheme(next)} />;
}

export function LanguageSwitch() {
  const w = useWords(words);
  const language = useLanguage();
  return (
    <select className="language" aria-label={w.language} value={language}
      onChange={(event) => chooseLanguage(event.target.value as Language)}>
      {Object.entries(LANGUAGES).map(([tag, name]) => (
        <option key={tag} value={tag} aria-label={name}>
          {tag.toUpperCase()}
        </option>
      ))}
    </select>
  );
}
