import { useWords } from "../app/language.ts";
import { useCopied } from "./copied.ts";
import { IconButton } from "./parts.tsx";
import { words } from "./words.ts";

/** A small button that copies a text which is not shown, and says so for a moment. */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const w = useWords(words);
  const [isCopied, copy] = useCopied(text);
  return (
    <>
      <IconButton icon={isCopied ? "check" : "copy"} size={14} className="small" label={label} onClick={copy} />
      <span className="sr" aria-live="polite">{isCopied ? w.copied : ""}</span>
    </>
  );
}
