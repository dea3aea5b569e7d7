import { useState } from "react";
import { useWords } from "../../app/language.ts";
import { useStore } from "../../app/store.ts";
import { changeView, useView } from "../../app/view.ts";
import { useCounts } from "../../data/twin.ts";
import { layerStates } from "../../map/feeds.ts";
import { useLayers } from "../../map/layers.ts";
import { colourOf } from "../../map/palette.ts";
import { switched, type Layer } from "../../map/plan.ts";
import { isGround, isShown } from "../../map/roles.ts";
import { number, spaced } from "../../ui/format.ts";
import { Icon } from "../../ui/icons.tsx";
import { Empty, Failure, Skeleton } from "../../ui/parts.tsx";
import { ColourBy } from "./ColourBy.tsx";
import { Legend } from "./Legend.tsx";
import { words } from "./words.ts";
import "./layers.css";

/** The layers of the map: what each looks like, and whether it is shown. */
export default function Layers() {
  const w = useWords(words);
  const { layers, error, retry } = useLayers();
  if (error) return <Failure error={error} retry={retry} />;
  if (!layers) return <Skeleton lines={8} />;
  if (layers.length === 0) return <Empty title={w.empty}>{w.emptyHelp}</Empty>;
  const data = layers.filter((layer) => !isGround(layer.role));
  const ground = layers.filter((layer) => isGround(layer.role));
  return (
    <>
      <Group title={w.data} layers={data} />
      <Group title={w.ground} layers={ground} />
    </>
  );
}

function Group({ title, layers }: { title: string; layers: Layer[] }) {
  if (layers.length === 0) return null;
  return (
    <section className="layer-group">
      <h3>{title}</h3>
      <ul>
        {layers.map((layer) => (
          <Row key={layer.type.name} layer={layer} />
        ))}
      </ul>
    </section>
  );
}

function Row({ layer }: { layer: Layer }) {
  const w = useWords(words);
  const view = useView();
  const { data: counts } = useCounts([layer.type]);
  const [isOpen, setOpen] = useState(false);
  const state = useStore(layerStates)[layer.type.name];
  const { name } = layer.type;
  const count = counts?.[name];
  const toggle = () => changeView(switched(view, layer, isShown(layer.type, layer.role, count)), "quiet");
  const says = !layer.isVisible ? undefined : { far: w.zoomIn, part: w.part, failed: w.failed, loading: undefined, whole: undefined }[state?.state ?? "whole"];
  const isOwn = !isGround(layer.role);
  return (
    <li className="layer" data-visible={layer.isVisible} data-layer={name}>
      <div className="layer-row">
        <button type="button" className="layer-switch" role="switch" aria-checked={layer.isVisible} onClick={toggle}>
          <span className={isOwn ? "swatch" : "swatch ground"} style={isOwn ? { background: colourOf(name) } : undefined} />
          <span className="layer-name">{spaced(name)}</span>
          <span className="num quiet small">{count === undefined ? "" : number(count, 0)}</span>
          <Icon name={layer.isVisible ? "eye" : "hidden"} size={16} />
        </button>
        {isOwn && (
          <button type="button" className="icon-button small" aria-expanded={isOpen} aria-label={`${w.colourBy}: ${spaced(name)}`} onClick={() => setOpen(!isOpen)}>
            <Icon name="chevron" size={14} />
          </button>
        )}
      </div>
      {says && <p className="layer-says small quiet">{says}</p>}
      {isOpen && <ColourBy layer={layer} />}
      {layer.isVisible && layer.classes && <Legend classes={layer.classes} />}
    </li>
  );
}
