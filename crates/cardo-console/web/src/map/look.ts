/** How the map looks for a reader: the tones of the theme, and names in their language. */
import type { ExpressionSpecification } from "maplibre-gl";
import type { Language } from "../app/language.ts";
import type { Theme } from "../app/theme.ts";
import { TONES, type Tones } from "./tones.ts";

export interface Look {
  theme: Theme;
  tones: Tones;
  /** What a feature is called; an empty text where it has no name. */
  name: ExpressionSpecification;
}

/** A name in the reader's language, else the one that the server prefers. */
export function lookOf(theme: Theme, language: Language): Look {
  return { theme, tones: TONES[theme], name: ["coalesce", ["get", `name__${language}`], ["get", "name"], ""] };
}
