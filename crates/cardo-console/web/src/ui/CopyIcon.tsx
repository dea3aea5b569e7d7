import { useState } from "react";
import { useWords } from "../app/language.ts";
import { IconButton } from "./parts.tsx";
import { words } from "./words.ts";

/** A small button that copies a text which is not shown, and says so for a moment. */
export function CopyIcon({ text, label }: { text: string; label: string }) {
  const w = useWords(words);
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <>
      <IconButton icon={isCopied ? "check" : "copy"} size={14} className="small" label={label} onClick={() => void copy()} />
      <span className="sr" aria-live="polite">{isCopied ? w.copied : ""}</span>
    </>
  );
}
