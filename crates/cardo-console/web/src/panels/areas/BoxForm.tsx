import { useId, useState, type FormEvent } from "react";
import { useWords } from "../../app/language.ts";
import type { Box } from "../../data/twin.ts";
import { boxOf, seenBox, showBox } from "../../map/handle.ts";
import { Button } from "../../ui/parts.tsx";
import { boxArea, polygonOf, type Area } from "./area.ts";
import { words } from "./words.ts";

const SIDES = ["west", "south", "east", "north"] as const;

/** The box that stands there first: the looked-at area's, or that of the view. */
function firstBox(area: Area | undefined): (string | number)[] {
  if (area && area.kind !== "of") return boxOf(polygonOf(area)).map((side) => Number(side.toFixed(6)));
  return seenBox()?.map((side) => Number(side.toFixed(4))) ?? ["", "", "", ""];
}

/** A box in numbers, for whoever has it in numbers or has no pointer. */
export function BoxForm({ area, take }: { area: Area | undefined; take: (area: Area) => void }) {
  const w = useWords(words);
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="box-form" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{w.numbers}</summary>
      {isOpen && <Form key={JSON.stringify(area)} area={area} take={take} />}
    </details>
  );
}

function Form({ area, take }: { area: Area | undefined; take: (area: Area) => void }) {
  const w = useWords(words);
  const id = useId();
  const [isBad, setBad] = useState(false);
  const first = firstBox(area);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const sides = SIDES.map((side) => Number.parseFloat(String(form.get(side)).replace(",", ".")));
    const found = boxArea(sides as Box);
    setBad(!found);
    if (!found) return;
    take(found);
    showBox(sides as Box);
  };
  return (
    <form onSubmit={submit} noValidate>
      {SIDES.map((side, at) => (
        <label key={side}>
          {w[side]}
          <input className="field num" name={side} inputMode="decimal" required defaultValue={first[at]} aria-describedby={isBad ? id : undefined} aria-invalid={isBad} />
        </label>
      ))}
      <Button type="submit">{w.apply}</Button>
      {isBad && <p className="bad small" role="alert" id={id}>{w.badBox}</p>}
    </form>
  );
}
