import { useWords } from "../../app/language.ts";
import type { Question } from "../../data/figures.ts";
import { url } from "../../data/http.ts";
import { Code } from "../../ui/Code.tsx";
import { Icon } from "../../ui/icons.tsx";
import { Button } from "../../ui/parts.tsx";
import { save } from "./files.ts";
import { words } from "./words.ts";

interface DownloadsProps {
  name: string;
  files: { csv: () => string; geojson: () => string };
  question: Question;
  /** Where the server gives the same as a table. */
  table?: string;
}

/** The figures as files, and the question that they answer. */
export function Downloads({ name, files, question, table }: DownloadsProps) {
  const w = useWords(words);
  const file = name.normalize("NFKD").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").toLowerCase() || "area";
  return (
    <footer className="downloads">
      <Button onClick={() => save(`${file}.csv`, "text/csv;charset=utf-8", files.csv())}><Icon name="down" size={15} />CSV</Button>
      <Button onClick={() => save(`${file}.geojson`, "application/geo+json", files.geojson())}><Icon name="down" size={15} />GeoJSON</Button>
      <details>
        <summary>{w.question}</summary>
        <Code label="GraphQL" text={`${question.query}\n\n${JSON.stringify(question.variables)}`} />
        <Code label="curl" text={curl(question)} />
        {table && <Code label="CSV" text={url(table)} />}
      </details>
    </footer>
  );
}

/** The body is given as it stands, so that quotes in it do no harm. */
const curl = (question: Question) =>
  `curl ${url("graphql")} -H 'Content-Type: application/json' --data @- <<'END'\n${JSON.stringify(question)}\nEND`;
