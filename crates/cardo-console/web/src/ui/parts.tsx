/** The small parts that every panel is made of. */
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { useWords } from "../app/language.ts";
import { Refusal } from "../data/http.ts";
import { useCopied } from "./copied.ts";
import { exactTime, relativeTime, shortId } from "./format.ts";
import { Icon, type IconName } from "./icons.tsx";
import { words } from "./words.ts";

interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "aria-label"> {
  icon: IconName;
  label: string;
  size?: number;
}

export function IconButton({ icon, label, size, className = "", ...rest }: IconButtonProps) {
  return (
    <button type="button" className={`icon-button ${className}`} aria-label={label} title={label} {...rest}>
      <Icon name={icon} {...(size ? { size } : {})} />
    </button>
  );
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "main" | "plain";
}

export function Button({ kind = "plain", className = "", ...rest }: ButtonProps) {
  return <button type="button" className={`button ${className}`} data-kind={kind} {...rest} />;
}

/** Lines that stand where content will. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  const w = useWords(words);
  const widths = ["92%", "74%", "83%", "61%", "88%", "70%"];
  return (
    <div role="status" style={{ display: "grid", gap: 12, paddingBlock: 6 }}>
      <span className="sr">{w.loading}</span>
      {Array.from({ length: lines }, (_, at) => (
        <span key={at} className="skeleton" style={{ width: widths[at % widths.length] }} />
      ))}
    </div>
  );
}

/** Nothing is here; `children` say what to do next. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="notice">
      <strong>{title}</strong>
      {children && <div className="quiet">{children}</div>}
    </div>
  );
}

/** What failed, the request that failed, and a way to try again. */
export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const w = useWords(words);
  const refusal = error instanceof Refusal ? error : undefined;
  const said = refusal?.status === 0 ? w.noAnswer : error instanceof Error ? error.message : String(error);
  return (
    <div className="notice" role="alert">
      <strong>{w.failed}</strong>
      <div>{said}</div>
      {refusal && (
        <code className="quiet">
          {refusal.request}
          {refusal.status > 0 && ` → ${refusal.status}`}
        </code>
      )}
      {retry && <Button onClick={retry}>{w.again}</Button>}
    </div>
  );
}

/** A text that is copied when it is clicked; an id is shortened in its middle. */
export function Copy({ text, shown }: { text: string; shown?: string }) {
  const w = useWords(words);
  const [copied, copy] = useCopied(text);
  return (
    <button type="button" className="copy" title={text} onClick={copy}>
      <span>{shown ?? shortId(text)}</span>
      <Icon name={copied ? "check" : "copy"} size={13} />
      <span className="sr" aria-live="polite">{copied ? w.copied : w.copy}</span>
    </button>
  );
}

/** A time as its age; exact for whoever points at it. */
export function Age({ time }: { time: string }) {
  return (
    <time dateTime={time} title={exactTime(time)} className="num">
      {relativeTime(time)}
    </time>
  );
}
