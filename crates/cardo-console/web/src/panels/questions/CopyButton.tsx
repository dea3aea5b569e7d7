import type { ReactNode } from "react";
import { useWords } from "../../app/language.ts";
import { useCopied } from "../../ui/copied.ts";
import { Icon } from "../../ui/icons.tsx";
import { Button } from "../../ui/parts.tsx";
import { words } from "./words.ts";

/** Copies a text, and says so for a moment. */
export function CopyButton({ text, label, children }: { text: string; label: string; children: ReactNode }) {
  const w = useWords(words);
  const [isCopied, copy] = useCopied(text);
  return (
    <>
      <Button aria-label={label} title={label} onClick={copy}>
        <Icon name={isCopied ? "check" : "copy"} size={14} />
        {children}
      </Button>
      <span className="sr" aria-live="polite">{isCopied ? w.copied : ""}</span>
    </>
  );
}
