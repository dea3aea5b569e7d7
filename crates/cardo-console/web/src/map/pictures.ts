/** Small pictures by type, drawn for the map when it is made: white on the disc of the type. */
import type { Map } from "maplibre-gl";
import { OKABE_ITO } from "./palette.ts";

/** On a grid of 20, strokes of 2. */
const PICTURES: Record<string, string> = {
  BikeHireDockingStation: "M6 15a3 3 0 1 0 0-.01M14 15a3 3 0 1 0 0-.01M6 12l2.5-5h4L14 12M8 8.5 10.5 12M12.5 7V5.5h2",
  PublicTransportStop: "M6 4h8a1.5 1.5 0 0 1 1.5 1.5V14h-11V5.5A1.5 1.5 0 0 1 6 4ZM4.5 10h11M7 14v2m6-2v2M8 6.5h4",
  WeatherObserved: "M10 11.5V4.5M8 12.5V4.5a2 2 0 0 1 4 0v8a3.2 3.2 0 1 1-4 0Z",
  AirQualityObserved: "M3 8h8a2 2 0 1 0-2-2M3 11h12a2 2 0 1 1-2 2M3 14h6",
  PointOfInterest: "m10 3.5 2 4.2 4.5.6-3.3 3.2.8 4.5L10 13.8 6 16l.8-4.5L3.5 8.3 8 7.7Z",
  TrafficControlPlan: "M5 3.5h7l3 3v10H5zM8 9h4M8 12h4",
  EVChargingStation: "M11 3 5.5 11H10l-1 6 5.5-8H10Z",
  OffStreetParking: "M7.5 16V4.5H11a3 3 0 0 1 0 6.5H7.5",
  OnStreetParking: "M7.5 16V4.5H11a3 3 0 0 1 0 6.5H7.5",
  ParkingSpot: "M7.5 16V4.5H11a3 3 0 0 1 0 6.5H7.5",
  StreetLight: "M7 17V6a3 3 0 0 1 6 0v1.5M11 8h4",
  WasteContainer: "M5 6h10M8 6V4h4v2M6 6l.8 10h6.4L14 6",
  TrafficFlowObserved: "M4 10h11M11 6l4 4-4 4",
};

export const hasPicture = (type: string): boolean => type in PICTURES;

const SCALE = 2;

function drawn(size: number, draw: (context: CanvasRenderingContext2D) => void): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * SCALE;
  const context = canvas.getContext("2d")!;
  context.scale(SCALE, SCALE);
  draw(context);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function picture(path: string): ImageData {
  return drawn(16, (context) => {
    context.scale(0.8, 0.8);
    context.strokeStyle = "#ffffff";
    context.lineWidth = 1.7;
    context.lineCap = context.lineJoin = "round";
    context.stroke(new Path2D(path));
  });
}

/** A disc; with a nose it points to the north, and the map turns it. */
function disc(colour: string, edge: string, hasNose: boolean): ImageData {
  return drawn(32, (context) => {
    context.translate(16, 16);
    context.beginPath();
    if (hasNose) {
      context.moveTo(0, -15);
      context.lineTo(6.6, -6.4);
      context.arc(0, 0, 9.2, -0.77, Math.PI + 0.77);
      context.closePath();
    } else context.arc(0, 0, 9.2, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.strokeStyle = edge;
    context.lineWidth = 2.6;
    context.lineJoin = "round";
    context.stroke();
    context.fill();
    context.beginPath();
    context.arc(0, 0, 3, 0, 2 * Math.PI);
    context.fillStyle = edge;
    context.fill();
  });
}

/** Gives the map every picture that its layers name; `edge` suits the theme. */
export function addPictures(map: Map, edge: string): void {
  const put = (name: string, image: ImageData) => {
    if (map.hasImage(name)) map.removeImage(name);
    map.addImage(name, image, { pixelRatio: SCALE });
  };
  for (const [type, path] of Object.entries(PICTURES)) put(`picture/${type}`, picture(path));
  for (const colour of OKABE_ITO) {
    put(`nose/${colour}`, disc(colour, edge, true));
    put(`disc/${colour}`, disc(colour, edge, false));
  }
}
