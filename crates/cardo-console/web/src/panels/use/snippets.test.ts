import { expect, test } from "vitest";
import { addressesOf, curlFeatures, geopandas, mapLibre, ogr2ogr, type Target } from "./snippets.ts";

const target: Target = {
  type: { name: "Tree", type: "https://uri.etsi.org/ngsi-ld/default-context/Tree", geometry: "location", extent: [24, 60, 25, 61] },
  kind: "Point",
  colour: "#009e73",
  url: (path) => `https://twin.example/city/tenants/north/${path}`,
  hasToken: false,
};

test("addresses are whole, and below the place where the page is served", () => {
  expect(addressesOf(target)).toEqual({
    features: "https://twin.example/city/tenants/north/ogc",
    items: "https://twin.example/city/tenants/north/ogc/collections/Tree/items",
    tiles: "https://twin.example/city/tenants/north/ogc/collections/Tree/tiles/WebMercatorQuad/{z}/{y}/{x}",
    ngsi: "https://twin.example/city/tenants/north/ngsi-ld/v1/entities?type=Tree",
    graphql: "https://twin.example/city/tenants/north/graphql",
  });
});

test("a type of another vocabulary is asked for by its full name", () => {
  const other = { ...target, type: { ...target.type, type: "https://example.org/v#Tree" } };
  expect(addressesOf(other).ngsi).toMatch(/type=https%3A%2F%2Fexample.org%2Fv%23Tree$/);
});

test("a token is asked for where the server wants one, and never written down", () => {
  for (const snippet of [mapLibre, geopandas, curlFeatures, ogr2ogr]) {
    expect(snippet(target)).not.toMatch(/TOKEN/);
    expect(snippet({ ...target, hasToken: true })).toMatch(/Bearer.*TOKEN/);
  }
});

test("a name with a quote does not leave its place in a shell", () => {
  expect(ogr2ogr({ ...target, type: { ...target.type, name: "a'b" } })).toContain(`'a'\\''b.gpkg'`);
});
