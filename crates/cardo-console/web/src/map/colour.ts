/** What a layer's features are coloured with. */
import type { DataDrivenPropertyValueSpecification, ExpressionSpecification } from "maplibre-gl";
import { classColours, colourOf } from "./palette.ts";
import type { Layer } from "./plan.ts";

/** The colour of a type, or that of the class its number is in. */
export function colour({ type, classes }: Layer, none: string): DataDrivenPropertyValueSpecification<string> {
  if (!classes) return colourOf(type.name);
  const value: ExpressionSpecification = ["to-number", ["get", classes.column]];
  const [first, ...rest] = classColours(classes.breaks.length);
  const steps = rest.flatMap((colour, at) => [classes.breaks[at]!, colour]);
  const scale = steps.length > 0 ? ["step", value, first!, ...steps] : first!;
  return ["case", ["has", classes.column], scale, none] as unknown as DataDrivenPropertyValueSpecification<string>;
}
