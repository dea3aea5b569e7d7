/** The point at which an area is named. */
import type { Feature, Position } from "geojson";

/** Twice the signed area of a ring, and the centre of its mass. */
function massOf(ring: readonly Position[]): { area: number; centre: Position } {
  let [area, x, y] = [0, 0, 0];
  for (let at = 1; at < ring.length; at += 1) {
    const [a, b] = [ring[at - 1]!, ring[at]!];
    const part = a[0]! * b[1]! - b[0]! * a[1]!;
    area += part;
    x += (a[0]! + b[0]!) * part;
    y += (a[1]! + b[1]!) * part;
  }
  return { area, centre: area === 0 ? ring[0]! : [x / (3 * area), y / (3 * area)] };
}

/** The same feature at the middle of its largest part. */
export function middleOf(feature: Feature): Feature {
  const { geometry } = feature;
  const polygons = geometry.type === "Polygon" ? [geometry.coordinates] : geometry.type === "MultiPolygon" ? geometry.coordinates : [];
  const masses = polygons.flatMap(([outer]) => (outer ? [massOf(outer)] : []));
  const largest = masses.sort((a, b) => Math.abs(b.area) - Math.abs(a.area))[0];
  return largest ? { ...feature, geometry: { type: "Point", coordinates: largest.centre } } : feature;
}
