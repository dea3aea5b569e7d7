import { useWords } from "../../app/language.ts";
import { Copy } from "../../ui/parts.tsx";
import { addressesOf, type Target } from "./snippets.ts";
import { words } from "./words.ts";

/** The addresses of a layer, to be copied. */
export function Addresses({ target, hasTiles }: { target: Target; hasTiles: boolean }) {
  const w = useWords(words);
  const { features, items, tiles, ngsi } = addressesOf(target);
  const all: [string, string][] = [[w.features, features], [w.items, items], ...(hasTiles && target.type.extent ? [[w.tiles, tiles] as [string, string]] : []), [w.ngsi, ngsi]];
  return (
    <section className="recipe">
      <h3>{w.addresses}</h3>
      <dl className="addresses">
        {all.map(([name, address]) => (
          <div key={name} data-address={address}>
            <dt>{name}</dt>
            <dd><Copy text={address} shown={address} /></dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
