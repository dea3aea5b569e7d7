import { useWords } from "../app/language.ts";
import { useCopied } from "./copied.ts";
import { IconButton } from "./parts.tsx";
import { words } from "./words.ts";

/** A text to be taken elsewhere: shown as it is, copied by a button. */
export function Code({ text, label }: { text: string; label: string }) {
  const w = useWords(words);
  const [isCopied, copy] = useCopied(text);
  return (
    <div className="code">
      {/* It scrolls, so the keyboard has to get at it. */}
      <pre tabIndex={0} role="region" aria-label={label}><code>{text}</code></pre>
      <IconButton icon={isCopied ? "check" : "copy"} size={15} label={isCopied ? w.copied : `${w.copy}: ${label}`} onClick={copy} />
      <span className="sr" aria-live="polite">{isCopied && w.copied}</span>
    </div>
  );
}
