import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { signIn, signInWanted } from "../data/http.ts";
import { Button } from "../ui/parts.tsx";
import { useWords } from "./language.ts";
import { useStore } from "./store.ts";
import { words } from "./words/shell.ts";

/** Asks for a token where the server wants one. */
export function SignIn() {
  const wanted = useStore(signInWanted);
  const w = useWords(words);
  const client = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    if (wanted === "no") dialog.current?.close();
    else if (!dialog.current?.open) dialog.current?.showModal();
  }, [wanted]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    signIn(text);
    setText("");
    void client.resetQueries();
  };
  const [before, after] = w.signInWhy.split(/`.*`/);
  return (
    <dialog className="sheet card" ref={dialog} aria-labelledby="sign-in" onCancel={(event) => event.preventDefault()}>
      <form onSubmit={submit}>
        <h2 id="sign-in">{w.signIn}</h2>
        <p className="quiet">
          {before}
          <code>cardo token</code>
          {after}
        </p>
        <label>
          <span>{w.token}</span>
          <input className="field mono" type="password" autoComplete="off" autoFocus value={text}
            aria-invalid={wanted === "refused"} onChange={(event) => setText(event.target.value)} />
        </label>
        {wanted === "refused" && <p className="bad" role="alert">{w.refused}</p>}
        <p className="quiet small">{w.staysHere}</p>
        <Button kind="main" type="submit">{w.signIn}</Button>
      </form>
    </dialog>
  );
}
