import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { currentLanguage, localeOf, useWords } from "../../app/language.ts";
import { useTheme } from "../../app/theme.ts";
import { exactTime, number, relativeTime, spaced, withUnit } from "../../ui/format.ts";
import type { Series } from "./history.ts";
import { words } from "./words.ts";

const HEIGHT = 104;
const FONT = '11px "Inter Variable", sans-serif';
/** Changes of a state of many turns, such as a heading, are steps and not slopes. */
const isCircular = (code: string | undefined) => code === "DD";

function options(width: number, series: Series, unitCode: string | undefined, seen: (at: number | undefined) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const tone = (name: string) => style.getPropertyValue(name).trim();
  const [accent, ink, line] = [tone("--accent"), tone("--ink-2"), tone("--line")];
  const locale = localeOf(currentLanguage());
  const few = series.times.length <= 40;
  return {
    width, height: HEIGHT,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7, fill: accent, stroke: tone("--paper"), width: 1.5 } },
    scales: { x: { time: true }, y: { range: (_, low, high) => uPlot.rangeNum(low, high, 0.12, true) } },
    axes: [
      { stroke: ink, font: FONT, size: 22, space: 70, grid: { show: false }, ticks: { show: false }, gap: 4, values: (_, splits) => timeLabels(splits, series, locale) },
      { stroke: ink, font: FONT, size: (_, values) => 10 + 6.4 * Math.max(...(values ?? [""]).map((text) => text.length)), space: 28, grid: { stroke: line, width: 1 }, ticks: { show: false }, gap: 4, values: (_, splits) => splits.map((value) => number(value)) },
    ],
    series: [
      {},
      {
        stroke: accent, width: 1.75, points: { show: few, size: 4, fill: accent, stroke: accent },
        fill: (plot) => fade(plot, accent),
        ...(isCircular(unitCode) && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      },
    ],
    hooks: { setCursor: [(plot) => seen(plot.cursor.left !== undefined && plot.cursor.left >= 0 ? (plot.cursor.idx ?? undefined) : undefined)] },
  };
}

function fade({ ctx, bbox }: uPlot, accent: string): CanvasGradient {
  const gradient = ctx.createLinearGradient(0, bbox.top, 0, bbox.top + bbox.height);
  gradient.addColorStop(0, `${accent}38`);
  gradient.addColorStop(1, `${accent}00`);
  return gradient;
}

/** Hours where all is of one day, days where it is of one year. */
function timeLabels(splits: number[], { times }: Series, locale: string): string[] {
  const span = times[times.length - 1]! - times[0]!;
  const form: Intl.DateTimeFormatOptions =
    span < 600 ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
    : span < 172_800 ? { hour: "2-digit", minute: "2-digit" }
    : span < 31_536_000 ? { day: "numeric", month: "short" }
    : { month: "short", year: "numeric" };
  const format = new Intl.DateTimeFormat(locale, form);
  return splits.map((seconds) => format.format(seconds * 1000));
}

/** The history of a number: a line that is read with the pointer or with arrow keys, and a table. */
export function Chart({ series, unitCode }: { series: Series; unitCode: string | undefined }) {
  const w = useWords(words);
  const theme = useTheme();
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const shown = useRef(series);
  const [at, setAt] = useState<number>();
  shown.current = series;
  useEffect(() => {
    const element = holder.current;
    if (!element) return;
    const { times, values } = shown.current;
    const made = new uPlot(options(element.clientWidth, shown.current, unitCode, setAt), [times, values], element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [theme, unitCode, series.attribute]);
  useEffect(() => plot.current?.setData([series.times, series.values]), [series]);
  const move = (event: KeyboardEvent) => {
    const next = moved(event.key, at, series.values.length);
    if (next === undefined) return;
    event.preventDefault();
    const made = plot.current;
    made?.setCursor({ left: made.valToPos(series.times[next]!, "x"), top: HEIGHT / 2 });
    setAt(next);
  };
  const leave = () => {
    plot.current?.setCursor({ left: -10, top: -10 });
    setAt(undefined);
  };
  const last = series.values.length - 1;
  const here = Math.min(at ?? last, last);
  const name = spaced(series.attribute);
  const say = (value: number) => withUnit(value, unitCode);
  const range = w.range.replace("{min}", say(Math.min(...series.values))).replace("{max}", say(Math.max(...series.values)));
  return (
    <figure className="chart" data-attribute={series.attribute}>
      <figcaption>
        <span className="chart-name">{name}</span>
        <span className="num chart-value">{say(series.values[here]!)}</span>
        <time className="quiet small num" dateTime={new Date(series.times[here]! * 1000).toISOString()} title={exactTime(series.times[here]! * 1000)}>
          {at === undefined ? relativeTime(series.times[here]! * 1000) : exactTime(series.times[here]! * 1000)}
        </time>
      </figcaption>
      <div className="chart-plot" ref={holder} tabIndex={0} role="slider" aria-label={`${w.historyOf.replace("{name}", name)}, ${range}. ${w.arrows}`}
        aria-valuemin={0} aria-valuemax={last} aria-valuenow={here} aria-valuetext={`${say(series.values[here]!)}, ${exactTime(series.times[here]! * 1000)}`}
        onKeyDown={move} onBlur={leave} />
      <details className="chart-table">
        <summary>{w.asTable}<span className="quiet"> · {w.values.replace("{n}", number(series.values.length, 0)).replace("{since}", beginning(series.times[0]! * 1000))}</span></summary>
        <Values series={series} unitCode={unitCode} name={name} />
      </details>
    </figure>
  );
}

const DAY = 86_400_000;

/** A day, or how long ago it was today. */
function beginning(time: number): string {
  if (Date.now() - time < DAY) return relativeTime(time);
  return new Intl.DateTimeFormat(localeOf(currentLanguage()), { dateStyle: "medium" }).format(time);
}

/** The place after a key of a slider, if it is one. */
function moved(key: string, at: number | undefined, count: number): number | undefined {
  const from = at ?? count - 1;
  const to = { ArrowLeft: from - 1, ArrowRight: from + 1, ArrowDown: from - 1, ArrowUp: from + 1, PageDown: from - 10, PageUp: from + 10, Home: 0, End: count - 1 }[key];
  return to === undefined ? undefined : Math.min(Math.max(to, 0), count - 1);
}

function Values({ series, unitCode, name }: { series: Series; unitCode: string | undefined; name: string }) {
  const w = useWords(words);
  const rows = series.times.map((time, at) => [time, series.values[at]!] as const).reverse();
  return (
    <div className="chart-values" tabIndex={0} role="region" aria-label={w.historyOf.replace("{name}", name)}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{w.time}</th>
            <th scope="col" className="num">{w.value}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([time, value]) => (
            <tr key={time}>
              <td className="num-start">{exactTime(time * 1000)}</td>
              <td className="num">{withUnit(value, unitCode)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
