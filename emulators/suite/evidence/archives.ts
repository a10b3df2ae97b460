/** The journals of a run as HTTP archives, two for each service, and the exchanges an auditor looks for first. */
import type { Member } from "../member.ts";
import { type Artefact, described } from "./artefact.ts";
import { type ArchiveOptions, archiveHead, cleanExchange, normalEntry, rawEntry } from "./http-archive.ts";
import { eachEntry, type Marks } from "./journals.ts";
import type { PackFile, PackWriter } from "./pack.ts";
import type { Redactor } from "./redact.ts";
import { type Marked, marksOfEntry, samplesOf } from "./samples.ts";
import { textOf } from "./shown.ts";
import { type SortedTexts, sortedTexts } from "./sorted-texts.ts";

export interface Archived {
  /** How many requests each service got. */
  readonly requests: Readonly<Record<string, number>>;
  /** When, by service and kind: for the report. */
  readonly happened: readonly { readonly name: string; readonly at: readonly number[] }[];
  readonly samples: readonly Artefact[];
}

export interface ArchiveInput {
  readonly members: readonly Member[];
  readonly marks: Marks;
  readonly redactor: Redactor;
  readonly places: (text: string) => string;
  readonly version: string;
}

/** Entry by entry: neither journal nor archive is ever whole in memory. */
export async function archiveJournals(pack: PackWriter, input: ArchiveInput): Promise<Archived> {
  const [requests, happened]: [Record<string, number>, { name: string; at: number[] }[]] = [{}, []];
  const sorted: SortedTexts<Marked>[] = [];
  try {
    for (const member of input.members) {
      const texts = sortedTexts<Marked>();
      sorted.push(texts);
      const times = await readInto(pack, texts, member, input);
      requests[member.name] = times.requests.length;
      for (const [kind, at] of Object.entries(times))
        if (at.length > 0)
          happened.push({ name: `${member.name} ${kind}`, at: at.sort((left, right) => left - right) });
      writeNormal(pack, texts, member.name, input.version);
    }
    const entries = sorted.flatMap((texts) => texts.inOrder());
    return { requests, happened, samples: samplesOf(entries) };
  } finally {
    for (const texts of sorted) texts.close();
  }
}

async function readInto(
  pack: PackWriter,
  texts: SortedTexts<Marked>,
  member: Member,
  { marks, redactor, places, version }: ArchiveInput,
) {
  const options: ArchiveOptions = { service: member.name, places };
  const raw = archiveFile(pack, `volatile/http/${member.name}.har`, "The same with real times", version);
  const times: { requests: number[]; webhooks: number[] } = { requests: [], webhooks: [] };
  for await (const entry of eachEntry(member, marks)) {
    const at = Date.parse(textOf(entry.at));
    if (entry.kind === "delivery") times.webhooks.push(at);
    if (entry.kind !== "request") continue;
    times.requests.push(at);
    const exchange = cleanExchange(entry, redactor);
    raw.add(JSON.stringify(rawEntry(exchange, options)));
    const { key, har } = normalEntry(exchange, options);
    texts.add(key, JSON.stringify(har), marksOfEntry(har));
  }
  raw.end();
  return times;
}

function writeNormal(pack: PackWriter, texts: SortedTexts<Marked>, service: string, version: string): void {
  const file = archiveFile(pack, `http/${service}.har`, `Requests to ${service}`, version);
  for (const [n, one] of texts.inOrder().entries()) file.add(...numbered(one.bytes(), n + 1));
  file.end();
}

/** The text of an entry ends with `"_backlot":{...}}`: its number is known only when all are sorted. */
const numbered = (text: Buffer, sequence: number) => [text.subarray(0, -2), `,"sequence":${sequence}}}`] as const;

/** One entry to a line. */
function archiveFile(pack: PackWriter, path: string, about: string, version: string) {
  const file: PackFile = pack.open(described(path, about));
  let before = archiveHead(version);
  return {
    add(...entry: readonly (string | Uint8Array)[]) {
      file.write(`${before}\n`, ...entry);
      before = ",";
    },
    end() {
      file.write(`${before === "," ? "\n" : before}]}}\n`);
      file.end();
    },
  };
}
