import { useWords } from "../../app/language.ts";
import { useSources } from "../../data/sources.ts";
import { Code } from "../../ui/Code.tsx";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { ServerPart } from "./Server.tsx";
import { SourceCard } from "./SourceCard.tsx";
import { words } from "./words.ts";
import "./sources.css";

const SAMPLE = `[[sources]]
name = "trees"
file = "trees.csv"
type = "Tree"`;

/** How the sources of the twin are, and the server itself. */
export default function Sources() {
  return (
    <div className="sources-panel">
      <List />
      <ServerPart />
    </div>
  );
}

function List() {
  const w = useWords(words);
  // Ages go on even where nothing else changes, so the moment of the last answer counts.
  const { data: sources, error, refetch, dataUpdatedAt } = useSources();
  if (error && !sources) return <Failure error={error} retry={() => void refetch()} />;
  if (sources === undefined) return <Skeleton lines={6} />;
  if (sources === null) return <Empty title={w.older}>{w.olderHelp}</Empty>;
  if (sources.length === 0) {
    return (
      <Empty title={w.empty}>
        {w.emptyHelp}
        <div className="sources-sample"><Code label="cardo.toml" text={SAMPLE} /></div>
      </Empty>
    );
  }
  return (
    <ul className="source-list" data-at={dataUpdatedAt}>
      {sources.map((source) => (
        <li key={source.name}>
          <SourceCard source={source} />
        </li>
      ))}
    </ul>
  );
}
