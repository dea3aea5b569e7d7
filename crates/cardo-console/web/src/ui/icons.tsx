/** Line icons on a grid of 20, drawn for this page. */
const PATHS = {
  layers: "M10 3 2.5 7 10 11l7.5-4L10 3Zm-7.5 7L10 14l7.5-4M2.5 13 10 17l7.5-4",
  data: "M3 4h14v12H3zM3 8h14M8 8v8",
  question: "M3 4h14l-5.5 6.5V16L8.5 17v-6.5L3 4Z",
  area: "M4 6 10 3.5 16.5 7 15 15l-8 1.5L4 6Z",
  source: "M10 10v7M6.5 13.5a5 5 0 1 1 7 0M4.2 15.8a8.2 8.2 0 1 1 11.6 0M10 10h.01",
  use: "m7 6-4 4 4 4m6-8 4 4-4 4M11.5 4l-3 12",
  search: "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12Zm4.3-1.7L17.5 17.5",
  close: "m5 5 10 10M15 5 5 15",
  sun: "M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4ZM10 2v1.6m0 12.8V18M2 10h1.6m12.8 0H18M4.4 4.4l1.1 1.1m9 9 1.1 1.1M4.4 15.6l1.1-1.1m9-9 1.1-1.1",
  moon: "M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3Z",
  system: "M3 4h14v9H3zM8 16.5h4M10 13v3.5",
  copy: "M7 7h9v9H7zM4 13V4h9",
  check: "m4 10.5 4 4 8-9",
  plus: "M10 4v12M4 10h12",
  minus: "M4 10h12",
  north: "m10 3 4.5 13L10 13.2 5.5 16 10 3Z",
  home: "M3.5 9.5 10 4l6.5 5.5V16.5h-4.5V12H8v4.5H3.5z",
  eye: "M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10Zm8 2.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6Z",
  hidden: "M3 3l14 14M8.2 5A8 8 0 0 1 10 4.5c5 0 8 5.5 8 5.5a14 14 0 0 1-2.3 2.9M5 6.3A14 14 0 0 0 2 10s3 5.5 8 5.5a8 8 0 0 0 3.5-.8",
  chevron: "m7 4.5 5.5 5.5L7 15.5",
  place: "M10 17.5s5.5-5 5.5-9.2a5.5 5.5 0 1 0-11 0c0 4.2 5.5 9.2 5.5 9.2Zm0-7.2a2 2 0 1 0 0-4 2 2 0 0 0 0 4Z",
  warning: "M10 3 2.5 16.5h15L10 3Zm0 5v4m0 2.3h.01",
  out: "M8 4H4v12h12v-4M11 3.5h5.5V9M16 4l-7 7",
  clock: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14Zm0-11v4l2.8 1.8",
  down: "M10 3.5v9M6.2 9 10 12.8 13.8 9M4 16.5h12",
  polygon: "M4 6.5 10.5 3.5 16.5 8 14 16 5.5 15 4 6.5Z",
  rectangle: "M3.5 5h13v10h-13z",
  circle: "M10 16.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Z",
  key: "M7.5 12.5a3.5 3.5 0 1 0 0-.01M10.5 10 17 10v3m-3-3v2",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg className="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false"
      fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
