/**
 * The panels in the order of the rail. A panel is a folder here with a `panel.ts` that says what it
 * is; its content is loaded when it is first opened.
 */
import type { ComponentType } from "react";
import type { Words } from "../app/language.ts";
import type { IconName } from "../ui/icons.tsx";
import { panel as areas } from "./areas/panel.ts";
import { panel as data } from "./data/panel.ts";
import { panel as layers } from "./layers/panel.ts";
import { panel as questions } from "./questions/panel.ts";
import { panel as sources } from "./sources/panel.ts";
import { panel as use } from "./use/panel.ts";

export interface Panel {
  /** What it is called in the address. */
  id: string;
  icon: IconName;
  words: Words<{ title: string }>;
  /** Whether it holds tables or code, and is to be wider. */
  isWide?: boolean;
  load: () => Promise<{ default: ComponentType }>;
}

export const PANELS: readonly Panel[] = [layers, data, questions, areas, sources, use];
