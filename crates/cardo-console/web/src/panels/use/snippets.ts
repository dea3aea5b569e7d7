/** What to write in other programs to use a layer of this twin: texts that run as they stand. */
import type { Box, TwinType } from "../../data/twin.ts";

export interface Target {
  type: Pick<TwinType, "name" | "type" | "geometry" | "extent">;
  /** The kind of its geometries. */
  kind: string | undefined;
  colour: string;
  /** An address below the place where the page is served. */
  url: (path: string) => string;
  /** Whether the server wants a token. */
  hasToken: boolean;
}

export interface Addresses {
  features: string;
  items: string;
  tiles: string;
  ngsi: string;
  graphql: string;
}

const DEFAULT = "https://uri.etsi.org/ngsi-ld/default-context/";

export function addressesOf({ type, url }: Target): Addresses {
  const collection = `ogc/collections/${encodeURIComponent(type.name)}`;
  const ngsiType = type.type.startsWith(DEFAULT) ? type.type.slice(DEFAULT.length) : type.type;
  return {
    features: url("ogc"),
    items: url(`${collection}/items`),
    tiles: `${url(`${collection}/tiles/WebMercatorQuad`)}/{z}/{y}/{x}`,
    ngsi: url(`ngsi-ld/v1/entities?type=${encodeURIComponent(ngsiType)}`),
    graphql: url("graphql"),
  };
}

/** A text of a programming language, in quotes. */
const quoted = (text: string) => JSON.stringify(text);
/** A text for a shell, which nothing in it can leave. */
const shell = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const variable = (name: string) => {
  const word = name.replace(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase().replace(/\W+/g, "_");
  return /^[a-z_]/.test(word) ? word : `_${word}`;
};

const middle = ([west, south, east, north]: Box) => [(west + east) / 2, (south + north) / 2].map((value) => Number(value.toFixed(5)));
const boundsOf = (box: Box | undefined): Box => box ?? [-180, -85, 180, 85];

function layerOf({ kind, colour }: Target): string {
  if (/Polygon/.test(kind ?? "")) return `type: "fill", paint: { "fill-color": ${quoted(colour)}, "fill-opacity": 0.5, "fill-outline-color": ${quoted(colour)} }`;
  if (/Line/.test(kind ?? "")) return `type: "line", paint: { "line-color": ${quoted(colour)}, "line-width": 2 }`;
  return `type: "circle", paint: { "circle-color": ${quoted(colour)}, "circle-radius": 4 }`;
}

export function mapLibre(target: Target): string {
  const { tiles } = addressesOf(target);
  const { name, extent } = target.type;
  const id = quoted(name);
  return `<!doctype html>
<meta charset="utf-8">
<link rel="stylesheet" href="https://unpkg.com/maplibre-gl@5/dist/maplibre-gl.css">
<script src="https://unpkg.com/maplibre-gl@5/dist/maplibre-gl.js"></script>
<div id="map" style="position: absolute; inset: 0"></div>
<script>
  const map = new maplibregl.Map({
    container: "map",
    bounds: ${JSON.stringify(boundsOf(extent))},
    style: {
      version: 8,
      sources: { ${id}: { type: "vector", tiles: [${quoted(tiles)}], maxzoom: 18 } },
      layers: [{ id: ${id}, source: ${id}, "source-layer": ${id}, ${layerOf(target)} }],
    },${target.hasToken ? `
    transformRequest: (url) => ({ url, headers: { Authorization: "Bearer " + TOKEN } }),` : ""}
  });
  map.on("click", ${id}, ({ lngLat, features: [feature] }) =>
    new maplibregl.Popup().setLngLat(lngLat).setText(JSON.stringify(feature.properties, null, 2)).addTo(map));
</script>
`;
}

export function leaflet(target: Target): string {
  const { items } = addressesOf(target);
  return `<!doctype html>
<meta charset="utf-8">
<link rel="stylesheet" href="https://unpkg.com/leaflet@1.9.4/dist/leaflet.css">
<script src="https://unpkg.com/leaflet@1.9.4/dist/leaflet.js"></script>
<div id="map" style="position: absolute; inset: 0"></div>
<script type="module">
  const map = L.map("map");
  const answer = await fetch(${quoted(`${items}?limit=1000`)}, { headers: { ${headersOf(target, "application/geo+json")} } });
  const layer = L.geoJSON(await answer.json(), {
    style: { color: ${quoted(target.colour)} },
    pointToLayer: (feature, place) => L.circleMarker(place, { radius: 5, color: ${quoted(target.colour)} }),
    onEachFeature: ({ id, properties }, mark) => mark.bindPopup(String(properties.name ?? id)),
  }).addTo(map);
  map.fitBounds(layer.getBounds());
</script>
`;
}

const headersOf = ({ hasToken }: Target, media: string) =>
  `Accept: ${quoted(media)}${hasToken ? ', Authorization: "Bearer " + TOKEN' : ""}`;

export function javaScript(target: Target): string {
  const { items } = addressesOf(target);
  return `const features = [];
let url = ${quoted(`${items}?limit=1000`)};
while (url) {
  const answer = await fetch(url, { headers: { ${headersOf(target, "application/geo+json")} } });
  if (!answer.ok) throw new Error(await answer.text());
  const page = await answer.json();
  features.push(...page.features);
  url = page.links.find(({ rel }) => rel === "next")?.href;
}
console.log(features.length, features[0]);
`;
}

const pythonHead = ({ hasToken }: Target) => (hasToken ? `import os\n` : "");
const pythonHeaders = ({ hasToken }: Target, media: string) =>
  `headers = {"Accept": "${media}"${hasToken ? `, "Authorization": "Bearer " + os.environ["TOKEN"]` : ""}}`;

export function geopandas(target: Target): string {
  const { items } = addressesOf(target);
  const name = variable(target.type.name);
  return `${pythonHead(target)}import geopandas
import requests

${pythonHeaders(target, "application/geo+json")}
url = ${quoted(`${items}?limit=1000`)}
features = []
while url:
    answer = requests.get(url, headers=headers)
    answer.raise_for_status()
    page = answer.json()
    features += page["features"]
    url = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)

${name} = geopandas.GeoDataFrame.from_features(features, crs="EPSG:4326")
${name}.index = [feature["id"] for feature in features]
${name}.plot()
`;
}

export function owslib(target: Target): string {
  const { features } = addressesOf(target);
  const headers = target.hasToken ? `, headers={"Authorization": "Bearer " + os.environ["TOKEN"]}` : "";
  return `${pythonHead(target)}from owslib.ogcapi.features import Features

twin = Features(${quoted(features)}${headers})
page = twin.collection_items(${quoted(target.type.name)}, limit=100)
print(page["numberMatched"], page["features"][0])
`;
}

export function ngsiPython(target: Target): string {
  const { ngsi } = addressesOf(target);
  return `${pythonHead(target)}import requests

${pythonHeaders(target, "application/json")}
url = ${quoted(`${ngsi}&limit=100&count=true&options=concise`)}
answer = requests.get(url, headers=headers)
answer.raise_for_status()
print(answer.headers["NGSILD-Results-Count"], answer.json()[0])
`;
}

const curlToken = ({ hasToken }: Target) => (hasToken ? ` -H "Authorization: Bearer $TOKEN"` : "");

export const curlFeatures = (target: Target) =>
  `curl${curlToken(target)} -H 'Accept: application/geo+json' ${shell(`${addressesOf(target).items}?limit=10${bboxOf(target)}`)}`;

export const curlEntities = (target: Target) => `curl${curlToken(target)} ${shell(`${addressesOf(target).ngsi}&limit=10&options=concise`)}`;

export const curlCounts = (target: Target) =>
  `curl${curlToken(target)} ${shell(addressesOf(target).graphql)} -H 'Content-Type: application/json' \\
  -d ${shell(JSON.stringify({ query: `{ aggregate(type: [${quoted(target.type.name)}]) { count numbers { attribute unit sum mean min max } } }` }))}`;

/** A box around the middle, to show how one asks for a part. */
function bboxOf({ type: { extent } }: Target): string {
  if (!extent) return "";
  const [lng = 0, lat = 0] = middle(extent);
  const [width, height] = [(extent[2] - extent[0]) / 4 || 0.01, (extent[3] - extent[1]) / 4 || 0.01];
  return `&bbox=${[lng - width, lat - height, lng + width, lat + height].map((side) => Number(side.toFixed(5))).join(",")}`;
}

export function ogr2ogr(target: Target): string {
  const { name } = target.type;
  const token = target.hasToken ? ` --config GDAL_HTTP_HEADERS "Authorization: Bearer $TOKEN"` : "";
  return `ogr2ogr${token} ${shell(`${name}.gpkg`)} ${shell(`OAPIF:${addressesOf(target).features}`)} ${shell(name)}`;
}
