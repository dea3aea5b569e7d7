interface SegmentsProps {
  label: string;
  chosen: string | undefined;
  options: readonly (readonly [value: string, text: string])[];
  choose: (value: string) => void;
}

/** A choice between a few, all in sight. */
export function Segments({ label, chosen, options, choose }: SegmentsProps) {
  return (
    <div className="segments" role="group" aria-label={label}>
      {options.map(([value, text]) => (
        <button key={value} type="button" aria-pressed={value === chosen} onClick={() => choose(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}
