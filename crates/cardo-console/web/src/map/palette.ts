/** Colours for what is shown: a type's own, and a scale for numbers. */
import { isGround, roleOf } from "./roles.ts";

/** Okabe and Ito's colours, which the colour-blind can tell apart, darkened where they were too light for a map. */
export const OKABE_ITO = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#3d9dd6", "#8a6d00", "#6a4fb3"] as const;

/** Types that cities have in common look alike in each of them. */
const KNOWN: Record<string, number> = {
  Vehicle: 0, BikeHireDockingStation: 2, PublicTransportStop: 5, GtfsStop: 5, WeatherObserved: 3, AirQualityObserved: 7,
  PointOfInterest: 4, TrafficFlowObserved: 1, ParkingSpot: 7, OffStreetParking: 7, OnStreetParking: 7, StreetLight: 4,
  WasteContainer: 6, TrafficControlPlan: 1, PopulationCell: 7, Tree: 2, EVChargingStation: 1,
};

/** Parts of the ground have no colour of their own. */
const NEUTRAL = "#9a8f84";

/** The colour of a type: the same in every visit, whatever else the twin holds. */
export function colourOf(type: string): string {
  const role = roleOf(type);
  if (role === "district") return "#8f7a68";
  if (isGround(role) && role !== "tree") return NEUTRAL;
  const at = KNOWN[type] ?? hash(type) % OKABE_ITO.length;
  return OKABE_ITO[at]!;
}

function hash(text: string): number {
  let value = 2166136261;
  for (const character of text) value = Math.imul(value ^ character.codePointAt(0)!, 16777619);
  return value >>> 0;
}

/** Five steps of viridis, from little to much. */
export const VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"] as const;

/** Bounds between classes of about equal size, each once; fewer where there are few values. */
export function classBreaks(values: readonly number[], classes: number = VIRIDIS.length): number[] {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const breaks = new Set<number>();
  for (let at = 1; at < classes; at += 1) {
    const value = sorted[Math.floor((at * sorted.length) / classes)];
    if (value !== undefined && value > sorted[0]!) breaks.add(value);
  }
  return [...breaks];
}

/** The colours for one class more than there are breaks. */
export function classColours(breaks: number): string[] {
  if (breaks === 0) return [VIRIDIS[2]];
  return Array.from({ length: breaks + 1 }, (_, at) => VIRIDIS[Math.round((at * (VIRIDIS.length - 1)) / breaks)]!);
}
