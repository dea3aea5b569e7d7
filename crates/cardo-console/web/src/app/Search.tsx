import { useEffect, useId, useRef, useState, type KeyboardEvent } from "react";
import { find, type Hit } from "../data/search.ts";
import { useTypes } from "../data/twin.ts";
import { showEntity } from "../map/handle.ts";
import { colourOf } from "../map/palette.ts";
import { shortId, spaced } from "../ui/format.ts";
import { Icon } from "../ui/icons.tsx";
import { useWords } from "./language.ts";
import { words } from "./words/search.ts";

type Found = { state: "idle" | "asking" | "found" | "failed"; hits: Hit[] };
const nothing: Found = { state: "idle", hits: [] };

/** Finds entities by name or id (a combobox with a list of results). `/` goes there. */
export function Search({ label }: { label: string }) {
  const w = useWords(words);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const found = useFound(text);
  useSlash(input);

  const choose = (hit: Hit) => {
    showEntity(hit.id, hit.geometry);
    setOpen(false);
    setText("");
    input.current?.blur();
  };
  const key = (event: KeyboardEvent) => {
    const last = found.hits.length - 1;
    if (event.key === "ArrowDown") setActive(Math.min(active + 1, last));
    else if (event.key === "ArrowUp") setActive(Math.max(active - 1, 0));
    else if (event.key === "Enter" && found.hits[active]) choose(found.hits[active]);
    else if (event.key === "Escape" && (text || open)) {
      setText("");
      setOpen(false);
    } else return;
    event.preventDefault();
  };
  const isOpen = open && text.trim().length > 0 && found.state !== "idle";
  const hit = found.hits[active];
  return (
    <div className="search card" role="search">
      <Icon name="search" />
      <input ref={input} value={text} placeholder={label} aria-label={label} role="combobox" aria-expanded={isOpen}
        aria-controls={`${id}-list`} aria-autocomplete="list" spellCheck={false} autoComplete="off"
        {...(isOpen && hit ? { "aria-activedescendant": `${id}-${active}` } : {})}
        onFocus={() => setOpen(true)} onBlur={() => setOpen(false)} onKeyDown={key}
        onChange={(event) => {
          setText(event.target.value);
          setActive(0);
          setOpen(true);
        }} />
      <kbd aria-hidden="true">/</kbd>
      <ul id={`${id}-list`} className="results card" role="listbox" aria-label={w.results} hidden={!isOpen || found.hits.length === 0}>
        {found.hits.map((hit, at) => (
          // The list must not take the focus from the field.
          <li key={hit.id} id={`${id}-${at}`} role="option" aria-selected={at === active} className="result"
            onMouseDown={(event) => event.preventDefault()} onMouseMove={() => setActive(at)} onClick={() => choose(hit)}>
            <span className="dot" style={{ background: colourOf(hit.type) }} />
            <span className="result-name">{hit.name ?? shortId(hit.id, 40)}</span>
            <span className="quiet small">{spaced(hit.type)}</span>
          </li>
        ))}
      </ul>
      {isOpen && found.hits.length === 0 && (
        <div className="results card quiet" role="status">
          {found.state === "asking" ? w.asking : found.state === "failed" ? w.failed : w.nothing}
        </div>
      )}
    </div>
  );
}

/** The answer for a text, asked a moment after the last key. */
function useFound(text: string): Found {
  const { data: types } = useTypes();
  const [found, setFound] = useState(nothing);
  const wanted = text.trim();
  useEffect(() => {
    if (!wanted || !types) {
      setFound(nothing);
      return;
    }
    const abort = new AbortController();
    setFound((before) => ({ ...before, state: "asking" }));
    const timer = setTimeout(() => {
      find(wanted, types, abort.signal)
        .then((hits) => setFound({ state: "found", hits }))
        .catch(() => abort.signal.aborted || setFound({ state: "failed", hits: [] }));
    }, 150);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [wanted, types]);
  return found;
}

function useSlash(input: React.RefObject<HTMLInputElement | null>) {
  useEffect(() => {
    const focus = (event: globalThis.KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const writes = /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.isContentEditable;
      if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      input.current?.focus();
    };
    window.addEventListener("keydown", focus);
    return () => window.removeEventListener("keydown", focus);
  }, [input]);
}
