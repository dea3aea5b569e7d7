/** What NGSI-LD calls the columns of a table, in requests that bring no context of their own. */
const CORE = "https://uri.etsi.org/ngsi-ld/";
const DEFAULT = `${CORE}default-context/`;
const MEMBERS = new Set(["observedAt", "unitCode", "datasetId", "createdAt", "modifiedAt", "expiresAt"]);

/** The term of a name, if it has one without a context. */
export function termOf(iri: string): string | undefined {
  const term = iri.startsWith(DEFAULT) ? iri.slice(DEFAULT.length) : iri.startsWith(CORE) ? iri.slice(CORE.length) : undefined;
  return term && /^\p{L}[\p{L}\p{N}_]*$/u.test(term) ? term : undefined;
}

/** The path in a query (clause 4.9 of the API) of a column such as `height__unitCode` or `name__fi`. */
export function pathOf(column: string, attribute: string): string | undefined {
  const term = termOf(attribute);
  const [, ...parts] = column.split("__");
  // An instance of a data set cannot be asked for.
  if (!term || parts.some((part) => part.startsWith("at_"))) return undefined;
  return parts.reduce((path, part) => path + step(part), term);
}

function step(part: string): string {
  if (part === "none") return "[@none]";
  const isLanguage = !MEMBERS.has(part) && /^[a-z]{2}(_[A-Za-z]{2,4})?$/.test(part);
  return isLanguage ? `[${part.replace("_", "-")}]` : `.${part}`;
}
