import { createStore, useStore } from "./store.ts";

export type ThemeChoice = "light" | "dark" | "system";
export type Theme = "light" | "dark";

const KEY = "cardo.theme";
const darkSystem = typeof matchMedia === "undefined" ? undefined : matchMedia("(prefers-color-scheme: dark)");

function stored(): ThemeChoice {
  const text = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  return text === "light" || text === "dark" ? text : "system";
}

const choice = createStore<ThemeChoice>(stored());
const theme = createStore<Theme>(resolved());

function resolved(): Theme {
  const wanted = choice.get();
  if (wanted !== "system") return wanted;
  return darkSystem?.matches ? "dark" : "light";
}

/** Puts the theme onto the page. */
export function applyTheme(): void {
  theme.set(resolved());
  document.documentElement.dataset.theme = theme.get();
}

export function chooseTheme(next: ThemeChoice): void {
  if (next === "system") localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, next);
  choice.set(next);
  applyTheme();
}

darkSystem?.addEventListener("change", applyTheme);

export const useThemeChoice = () => useStore(choice);
export const useTheme = () => useStore(theme);
