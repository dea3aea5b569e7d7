/** Figures as files: CSV (RFC 4180) and GeoJSON (RFC 7946) with the same names and numbers. */
import type { Geometry } from "geojson";
import type { TypeFigures } from "../../data/figures.ts";
import { allMeasures, measureKey, OF_NUMBER, valueOf, type Row } from "./measure.ts";

type Cell = string | number | null | undefined;

export function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

function cell(value: Cell): string {
  const text = value === undefined || value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** `Building.height.MTR.mean` */
const column = (key: string) => key.replaceAll("::", ":").replaceAll(":", ".");

export function tableCsv(rows: readonly Row[], types: readonly string[]): string {
  const measures = allMeasures(rows, types);
  const head = ["id", "name", "area_m2", ...measures.map((measure) => column(measureKey(measure)))];
  const line = (row: Row) => [row.place.id, row.place.name, Math.round(row.place.size), ...measures.map((measure) => valueOf(row, measure))];
  return csv([head, ...rows.map(line)]);
}

export function tableGeoJson(rows: readonly Row[], types: readonly string[]): string {
  const measures = allMeasures(rows, types);
  const features = rows.map((row) => ({
    type: "Feature",
    id: row.place.id,
    geometry: row.place.geometry,
    properties: {
      name: row.place.name,
      area_m2: Math.round(row.place.size),
      ...Object.fromEntries(measures.map((measure) => [column(measureKey(measure)), valueOf(row, measure) ?? null])),
    },
  }));
  return JSON.stringify({ type: "FeatureCollection", features });
}

export function areaCsv(types: readonly TypeFigures[]): string {
  const head = ["type", "entities", "attribute", "unit", "count", ...OF_NUMBER];
  const lines = types.flatMap(({ type, count, numbers }): Cell[][] => [
    [type, count, ...head.slice(2).map(() => undefined)],
    ...numbers.map((number) => [type, count, number.attribute, number.unit, number.count, ...OF_NUMBER.map((figure) => number[figure])]),
  ]);
  return csv([head, ...lines]);
}

export function areaGeoJson(geometry: Geometry, name: string, size: number, types: readonly TypeFigures[]): string {
  const place = { id: "area", name, geometry, size };
  const row = { place, types: [...types] };
  return tableGeoJson([row], types.map(({ type }) => type));
}

export function save(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
