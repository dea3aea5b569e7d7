import type { Words } from "../language.ts";

const en = {
  results: "Results",
  asking: "Searching",
  nothing: "Nothing has this name or id.",
  failed: "The search did not work.",
};

export const words: Words<typeof en> = {
  en,
  fi: { results: "Tulokset", asking: "Haetaan", nothing: "Millään ei ole tätä nimeä tai tunnistetta.", failed: "Haku ei onnistunut." },
  sv: { results: "Resultat", asking: "Söker", nothing: "Inget har det namnet eller id:t.", failed: "Sökningen gick inte." },
};
