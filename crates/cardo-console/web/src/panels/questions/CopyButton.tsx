import { useState } from "react";
import { useWords } from "../../app/language.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button } from "../../ui/parts.tsx";
import { words } from "./words.ts";

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const w = useWords(words);
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <Button onClick={() => void copy()}>
      <Icon name={isCopied ? "check" : "copy"} size={14} />
      {label}
      <span className="sr" aria-live="polite">{isCopied ? w.copied : ""}</span>
    </Button>
  );
}
