/**
 * The reader's language. Each part of the page keeps its own words, in all languages side by side:
 *
 *     const words = { en: { title: "Data" }, fi: { title: "Tiedot" }, sv: { title: "Data" } };
 *     const w = useWords(words);   // w.title
 */
import { createStore, useStore } from "./store.ts";

export const LANGUAGES = { en: "English", fi: "Suomi", sv: "Svenska" } as const;
export type Language = keyof typeof LANGUAGES;

const KEY = "cardo.language";

export function bestLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.toLowerCase().split("-")[0];
    if (primary && primary in LANGUAGES) return primary as Language;
  }
  return "en";
}

function first(): Language {
  const stored = typeof localStorage === "undefined" ? null : localStorage.getItem(KEY);
  return bestLanguage([...(stored ? [stored] : []), ...(globalThis.navigator?.languages ?? [])]);
}

const language = createStore<Language>(first());

export function chooseLanguage(next: Language): void {
  localStorage.setItem(KEY, next);
  language.set(next);
}

export const useLanguage = () => useStore(language);
export const currentLanguage = () => language.get();

type Widened<T> = { [K in keyof T]: T[K] extends string ? string : T[K] };
/** The same words in every language; English says which there are. */
export type Words<T> = { en: T } & Record<Exclude<Language, "en">, Widened<T>>;

export function useWords<T>(words: Words<T>): Widened<T> {
  return words[useLanguage()] as Widened<T>;
}

/** The locale for numbers and times: the reader's own where it is of the chosen language. */
export function localeOf(chosen: Language): string {
  const own = globalThis.navigator?.languages?.find((tag) => tag.toLowerCase().startsWith(chosen));
  return own ?? chosen;
}
