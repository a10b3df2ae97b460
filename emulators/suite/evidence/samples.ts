/** The exchanges an auditor looks for first, as on the wire; the one before a replay or a 304 beside it. */
import { type Artefact, artefact } from "./artefact.ts";
import { type HarEntry, wireText } from "./http-archive.ts";
import type { Sorted } from "./sorted-texts.ts";

const headerOf = ({ response }: HarEntry, name: string) =>
  response.headers.find((header) => header.name === name)?.value;
const answered =
  (...statuses: readonly number[]) =>
  ({ response }: HarEntry) =>
    statuses.includes(response.status);
const nextPage = /"(?:next_page_uri|@odata\.nextLink|nextLink)":\s*"|<nextToken>[^<]/;

const wanted: readonly (readonly [name: string, fits: (entry: HarEntry) => boolean])[] = [
  ["304", answered(304)],
  ["401", answered(401, 403)],
  ["429", answered(429)],
  ["503", answered(503)],
  ["idempotency", (entry) => headerOf(entry, "idempotent-replayed") === "true"],
  ["pagination", ({ response }) => nextPage.test(response.content.text ?? "")],
];

/** What is known of an entry without its text. */
export interface Marked {
  readonly method: string;
  readonly url: string;
  /** Names of the samples it would do for. */
  readonly is: readonly string[];
}

export function marksOfEntry(entry: HarEntry): Marked {
  const { method, url } = entry.request;
  return { method, url, is: wanted.flatMap(([name, fits]) => (fits(entry) ? [name] : [])) };
}

export function samplesOf(entries: readonly Sorted<Marked>[]): readonly Artefact[] {
  return wanted.flatMap(([name]) => {
    const at = entries.findIndex(({ about }) => about.is.includes(name));
    const found = entries[at];
    if (!found) return [];
    const { method, url } = found.about;
    const before = entries.slice(0, at).findLast(({ about }) => about.url === url && about.method === method);
    const text = [before, found]
      .flatMap((one) => (one ? [wireText(JSON.parse(one.bytes().toString("utf8")))] : []))
      .join("\n");
    return [artefact(`samples/${name}.http`, `A request answered so: ${name}`, text)];
  });
}
