/** The exchanges an auditor looks for first, as on the wire; the one before a replay or a 304 beside it. */
import { type Artefact, artefact } from "./artefact.ts";
import { type HarEntry, type HttpArchive, wireText } from "./http-archive.ts";

const headerOf = ({ response }: HarEntry, name: string) =>
  response.headers.find((header) => header.name === name)?.value;
const answered =
  (...statuses: readonly number[]) =>
  ({ response }: HarEntry) =>
    statuses.includes(response.status);
const nextPage = /"(?:next_page_uri|@odata\.nextLink|nextLink)":\s*"|<nextToken>[^<]/;

const wanted: Readonly<Record<string, (entry: HarEntry) => boolean>> = {
  "429": answered(429),
  "304": answered(304),
  "401": answered(401, 403),
  "503": answered(503),
  idempotency: (entry) => headerOf(entry, "idempotent-replayed") === "true",
  pagination: ({ response }) => nextPage.test(response.content.text ?? ""),
};

export function samplesOf(archives: ReadonlyMap<string, HttpArchive>): readonly Artefact[] {
  const entries = [...archives.values()].flatMap(({ log }) => log.entries);
  return Object.entries(wanted).flatMap(([name, is]) => {
    const at = entries.findIndex(is);
    const found = entries[at];
    if (!found) return [];
    const { method, url } = found.request;
    const before = entries.slice(0, at).findLast(({ request }) => request.url === url && request.method === method);
    const text = [before, found].flatMap((entry) => (entry ? [wireText(entry)] : [])).join("\n");
    return [artefact(`samples/${name}.http`, `A request answered so: ${name}`, text)];
  });
}
