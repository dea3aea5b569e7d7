import { expect, test } from "vitest";
import { pathOf } from "./names.ts";
import { blank, type Condition, type Field, type Placed } from "./question.ts";
import { curl, encode, filterOf, holding, inGraphql, inNgsi, inOgc, quoted, type Known } from "./say.ts";

const field = (name: string, kind: Field["kind"], path: string | undefined = name): Field => ({ name, kind, path, isSortable: true });
const known: Known = {
  type: "Building",
  collection: "Building",
  list: "buildingList",
  geometry: { column: "location", path: "location" },
  fields: [
    field("height", "number"), field("name", "text"), field("name__fi", "text", "name[fi]"), field("lit", "boolean"),
    field("height__observedAt", "moment", "height.observedAt"), field("owner", "id"), field("category", "json"), { ...field("odd", "text"), path: undefined },
  ],
};
const ask = (conditions: Condition[], rest: Partial<Placed> = {}): Placed => ({ ...blank("Building"), conditions, box: undefined, ...rest });
const is = (column: string, operator: Condition["operator"], ...values: string[]): Condition => ({ column, operator, values });
const q = (...conditions: Condition[]) => new URL(inNgsi(ask(conditions), known).path!, "http://x/").searchParams.get("q");
const parameters = (question: Placed) => Object.fromEntries(new URL(inOgc(question, known).path!, "http://x/").searchParams);

test("each operator has its sign in NGSI-LD, by the kind of the column", () => {
  expect(q(is("height", "ge", "20"), is("name", "ne", "Annex"))).toBe('height>=20;name!="Annex"');
  expect(q(is("height", "in", "1", "", "2.50"))).toBe("height==1,2.5");
  expect(q(is("lit", "eq", "true"), is("name__fi", "exists"), is("owner", "missing"))).toBe("lit==true;name[fi];!owner");
  expect(q(is("height__observedAt", "lt", "2026-11-27T12:00:00Z"))).toBe("height.observedAt<2026-11-27T12:00:00.000Z");
  expect(q(is("name", "eq", "30"))).toBe('name=="30"');
});

test("quotes, backslashes and separators in a text stay a part of it", () => {
  expect(q(is("name", "eq", 'a "b" \\ ; | c'))).toBe('name=="a \\"b\\" \\\\ ; | c"');
  expect(filterOf(ask([is("name", "eq", 'a "b" \\ c\n')]), known)).toBe('{ name: { eq: "a \\"b\\" \\\\ c\\n" } }');
  expect(parameters(ask([is("name", "eq", "a&b=c + d % ö")]))).toMatchObject({ name: "a&b=c + d % ö" });
});

test("a text that is looked for is no pattern", () => {
  const said = ['a.b (c)', 'say "x"', "back\\slash", "1+1=[2]{3}|$^?*"];
  for (const text of said) {
    const pattern = holding(text).replace("(?i)", "");
    expect(new RegExp(pattern).test(`.. ${text} ..`)).toBe(true);
    expect(pattern).not.toMatch(/"/);
  }
  expect(new RegExp(holding("a.b").slice(4)).test("axb")).toBe(false);
  expect(q(is("name", "has", 'k"'))).toBe('name~="(?i)k\\x22"');
});

test("addresses are of the characters that addresses may have, and no quote ends them", () => {
  const path = inNgsi(ask([is("name", "eq", "O'Hara & Töölö 100% #1 (x)")]), known).path!;
  expect(path).toMatch(/^[A-Za-z0-9\-._~%/?&=,:]+$/);
  expect(new URL(path, "http://x/").searchParams.get("q")).toBe('name=="O\'Hara & Töölö 100% #1 (x)"');
  expect(encode("a b+c'd/é")).toBe("a%20b%2Bc%27d/%C3%A9");
});

test("a place is said in each face, and what OGC API cannot say is told and not asked", () => {
  const view = ask([], { area: { kind: "view" }, box: [24.9, 60.1, 25, 60.2] });
  expect(decodeURIComponent(inNgsi(view, known).path!)).toContain("georel=intersects&geometry=Polygon&coordinates=[[[24.9,60.1],[25,60.1],[25,60.2],[24.9,60.2],[24.9,60.1]]]");
  expect(parameters(view)).toMatchObject({ bbox: "24.9,60.1,25,60.2" });
  expect(filterOf(view, known)).toBe("{ location: { bbox: [24.9, 60.1, 25, 60.2] } }");
  const near = ask([], { area: { kind: "near", at: [24.94, 60.17], distance: 250 } });
  expect(decodeURIComponent(inNgsi(near, known).path!)).toContain("georel=near;maxDistance==250&geometry=Point&coordinates=[24.94,60.17]");
  expect(inOgc(near, known)).toEqual({ path: undefined, gaps: [{ what: "near" }] });
  expect(filterOf(near, known)).toBe("{ location: { near: { lon: 24.94, lat: 60.17, maxDistance: 250 } } }");
  const drawn = ask([], { area: { kind: "polygon", ring: [[1, 2], [3, 2], [3, 4]] } });
  expect(decodeURIComponent(inNgsi(drawn, known).path!)).toContain("[[[1,2],[3,2],[3,4],[1,2]]]");
  expect(inOgc(drawn, known).gaps).toEqual([{ what: "polygon" }]);
});

test("a geometry of another name is named", () => {
  const other: Known = { ...known, geometry: { column: "footprint", path: "footprint" } };
  const near = ask([], { area: { kind: "near", at: [1, 2], distance: 5 } });
  expect(inNgsi(near, other).path).toContain("&geoproperty=footprint");
  expect(filterOf(near, other)).toMatch(/^{ footprint:/);
});

test("OGC API says what a property is, once, and nothing else", () => {
  expect(parameters(ask([is("height", "eq", "20"), is("lit", "eq", "false")]))).toEqual({ height: "20", lit: "false", limit: "50" });
  expect(inOgc(ask([is("height", "ge", "20"), is("category", "eq", "cafe")]), known)).toEqual({
    path: undefined,
    gaps: [{ what: "operator", column: "height" }, { what: "column", column: "category" }],
  });
  expect(inOgc(ask([is("height", "eq", "20"), is("height", "eq", "30")]), known).path).toBeUndefined();
});

test("an order is said where a face has one, and else leaves the rest of the question as it is", () => {
  const order = (column: string, isDown = false) => inNgsi(ask([], { order: { column, isDown } }), known);
  const address = (by: string) => `ngsi-ld/v1/entities?type=Building${by}&limit=50&count=true&options=keyValues`;
  expect(order("height")).toEqual({ path: address("&orderBy=height"), gaps: [] });
  expect(order("height", true)).toEqual({ path: address("&orderBy=height%3Bdesc"), gaps: [] });
  expect(order("height__observedAt").path).toBe(address("&orderBy=height.observedAt"));
  expect(order("odd")).toEqual({ path: address(""), gaps: [{ what: "order" }] });
  const ordered = ask([], { order: { column: "height", isDown: true } });
  expect(inOgc(ordered, known).gaps).toEqual([{ what: "order" }]);
  expect(inGraphql(ordered, known).text).toContain("orderBy: [{ field: height, direction: DESC }]");
});

test("a column that needs a context is no part of an address of NGSI-LD", () => {
  expect(inNgsi(ask([is("odd", "eq", "x")]), known)).toEqual({ path: undefined, gaps: [{ what: "column", column: "odd" }] });
  expect(pathOf("height__unitCode", "https://uri.etsi.org/ngsi-ld/default-context/height")).toBe("height.unitCode");
  expect(pathOf("name__fi", "https://uri.etsi.org/ngsi-ld/default-context/name")).toBe("name[fi]");
  expect(pathOf("location", "https://uri.etsi.org/ngsi-ld/location")).toBe("location");
  expect(pathOf("t__at_modelA", "https://uri.etsi.org/ngsi-ld/default-context/t")).toBeUndefined();
  expect(pathOf("height", "https://example.org/height")).toBeUndefined();
});

test("two conditions on one column are two in GraphQL", () => {
  const twice = ask([is("height", "ge", "10"), is("height", "lt", "20"), is("name", "in", "a", 'b"')]);
  expect(filterOf(twice, known)).toBe('{ and: [{ height: { ge: 10 } }, { height: { lt: 20 } }, { name: { in: ["a", "b\\""] } }] }');
});

test("the address of GraphQL asks what its text asks", () => {
  const { path, text } = inGraphql(ask([is("name", "has", "Ö'\n")]), known, ["id", "name"]);
  const query = new URL(path!, "http://x/").searchParams.get("query")!;
  expect(query.replace(/\s+/g, "")).toBe(text!.replace(/\s+/g, ""));
  expect(query).toContain('matches: "(?i)Ö\'\\n"');
});

test("a command survives the shell, and never holds a token", () => {
  expect(quoted("it's")).toBe("'it'\\''s'");
  const said = inGraphql(ask([is("name", "eq", "O'Hara")]), known);
  expect(curl("graphql", said, "http://x/", true)).toMatch(/^curl -H "Authorization: Bearer \$CARDO_TOKEN" -H 'Content-Type: application\/json' -d '.*O'\\''Hara.*' 'http:\/\/x\/graphql'$/);
  expect(curl("ogc", inOgc(ask([]), known), "http://x/", false)).toBe("curl -H 'Accept: application/geo+json' 'http://x/ogc/collections/Building/items?limit=50'");
  expect(curl("ogc", { path: undefined, gaps: [] }, "http://x/", false)).toBeUndefined();
});

test("a condition that is not whole yet asks nothing", () => {
  expect(q(is("height", "ge", "tall"), is("gone", "eq", "1"))).toBeNull();
  expect(filterOf(ask([is("name", "eq", "")]), known)).toBeUndefined();
});
