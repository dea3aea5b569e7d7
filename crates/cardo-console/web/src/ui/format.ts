/** Numbers, times, units and ids as the reader writes them. */
import { currentLanguage, localeOf } from "../app/language.ts";

const formats = new Map<string, Intl.NumberFormat>();

export function number(value: number, digits = 2): string {
  const locale = localeOf(currentLanguage());
  const key = `${locale}/${digits}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(locale, { maximumFractionDigits: digits });
    formats.set(key, format);
  }
  return format.format(value);
}

/** Signs of the codes of UN/CEFACT Recommendation 20 that city data use most. */
const UNITS: Record<string, string> = {
  CEL: "°C", FAH: "°F", KEL: "K", P1: "%", MTR: "m", KMT: "km", CMT: "cm", MMT: "mm", MTK: "m²", KMK: "km²", HAR: "ha",
  MTQ: "m³", LTR: "l", KMH: "km/h", MTS: "m/s", DD: "°", KGM: "kg", GRM: "g", TNE: "t", PAL: "Pa", A97: "hPa", BAR: "bar",
  KWT: "kW", WTT: "W", KWH: "kWh", MWH: "MWh", VLT: "V", AMP: "A", HTZ: "Hz", SEC: "s", MIN: "min", HUR: "h", DAY: "d",
  GQ: "µg/m³", GP: "mg/m³", "59": "ppm", "61": "ppb", "2N": "dB", LUX: "lx", C62: "",
};

/** The sign of a unit code, or the code itself. */
export function unit(code: string | undefined): string {
  return code === undefined ? "" : (UNITS[code] ?? code);
}

export function withUnit(value: number, code?: string, digits = 2): string {
  const sign = unit(code);
  const text = number(value, digits);
  if (!sign) return text;
  return sign === "°" ? `${text}°` : `${text}\u202f${sign}`;
}

const STEPS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_556_952], ["month", 2_629_746], ["week", 604_800], ["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1],
];

/** How long ago, or how far ahead, a moment is. */
export function relativeTime(time: string | number | Date, now = Date.now()): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  const step = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? STEPS[STEPS.length - 1]!;
  const format = new Intl.RelativeTimeFormat(localeOf(currentLanguage()), { numeric: "auto" });
  return format.format(Math.round(seconds / step[1]), step[0]);
}

/** A moment, exactly. */
export function exactTime(time: string | number | Date): string {
  const format = new Intl.DateTimeFormat(localeOf(currentLanguage()), { dateStyle: "medium", timeStyle: "long" });
  return format.format(new Date(time));
}

/** A moment as a field for local time has it. */
export function fieldTime(time: string): string {
  const at = new Date(time);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return Number.isNaN(local.getTime()) ? "" : local.toISOString().slice(0, 19);
}

/** The moment that a field for local time holds, in UTC; none where it is empty. */
export function momentOfField(local: string): string | undefined {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? undefined : at.toISOString().replace(".000Z", "Z");
}

/** An id with its middle left out. */
export function shortId(id: string, length = 32): string {
  if (id.length <= length) return id;
  const end = Math.ceil((length - 1) * 0.6);
  return `${id.slice(0, length - 1 - end)}…${id.slice(-end)}`;
}

/** A name such as `BikeHireDockingStation` or `floors_above_ground` as words. */
export function spaced(name: string): string {
  const words = name.replace(/_+/g, " ").replace(/([a-z\d])([A-Z])/g, "$1 $2").replace(/([A-Z])([A-Z][a-z])/g, "$1 $2");
  const lower = words.replace(/\b([A-Z])([a-z]+)/g, (whole) => whole.toLowerCase()).trim();
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}
