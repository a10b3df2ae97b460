/** Captured mail: the normal form of each message with its replacements, its envelope and its dialogue. */

import { ask, type Member } from "../member.ts";
import { type Artefact, artefact, described } from "./artefact.ts";
import { sha256 } from "./attestation.ts";
import { canonicalJson, compareText } from "./canonical.ts";
import { jsonListFile } from "./json-list.ts";
import type { PackWriter } from "./pack.ts";
import type { Redactor } from "./redact.ts";
import { openScratch, type Span } from "./scratch.ts";
import { textOf } from "./shown.ts";

interface Listed {
  readonly id: string;
  readonly receivedAt: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string | null;
}

interface Replacement {
  readonly what: string;
  readonly by: string;
}

const [page, side] = [256, 16];

/** Every captured message, into smtp/ and volatile/smtp/: read one after the other, written in order of time and content. */
export async function writeMails(
  pack: PackWriter,
  member: Member,
  redactor: Redactor,
  places: (text: string) => string,
): Promise<{ times: readonly number[] }> {
  const scratch = openScratch();
  try {
    const mails: {
      readonly key: string;
      readonly summary: Span;
      readonly files: readonly (readonly [Form, Span])[];
    }[] = [];
    const times: number[] = [];
    for await (const listed of eachListed(member)) {
      for (const mail of await Promise.all(listed.map((one) => readMail(member, one, redactor, places)))) {
        mails.push({
          key: mail.key,
          summary: scratch.add(JSON.stringify(mail.summary)),
          files: mail.files.map(([form, content]) => [form, scratch.add(content)] as const),
        });
        times.push(mail.receivedAt);
      }
    }
    mails.sort((left, right) => compareText(left.key, right.key));
    for (const [index, { files }] of mails.entries())
      for (const [form, span] of files) pack.add(artefactOf(form, index + 1, scratch.read(span)));
    const list = jsonListFile(pack, described("smtp/messages.json", "Captured messages, by time and content"));
    for (const [index, { summary }] of mails.entries())
      list.add({ sequence: index + 1, ...JSON.parse(scratch.read(summary).toString("utf8")) });
    list.end();
    return { times: times.sort((left, right) => left - right) };
  } finally {
    scratch.close();
  }
}

/** A few at a time, newest first. */
async function* eachListed(member: Member): AsyncGenerator<readonly Listed[]> {
  for (let start = 0; ; start += page) {
    const { messages } = await ask<{ messages: readonly Listed[] }>(
      member,
      "GET",
      `/_backlot/smtp/messages?limit=${page}&start=${start}`,
    );
    for (let at = 0; at < messages.length; at += side) yield messages.slice(at, at + side);
    if (messages.length < page) return;
  }
}

async function readMail(member: Member, listed: Listed, redactor: Redactor, places: (text: string) => string) {
  const at = `/_backlot/smtp/messages/${encodeURIComponent(listed.id)}`;
  const response = await member.request("GET", `${at}/raw`);
  const raw = redactor.bytes(Buffer.from(await response.arrayBuffer()));
  const envelope = await ask<Record<string, unknown>>(member, "GET", `${at}/envelope`);
  const dialogue = await member.request("GET", `${at}/transcript`);
  const transcript = dialogue.ok ? redactor.text(await dialogue.text()) : "";
  const { text, replaced } = normalMail(raw.toString("latin1"), listed.receivedAt);
  const { id: _id, remote: _remote, size: _size, ...kept } = envelope;
  const content = sha256(Buffer.from(text, "latin1"));
  // The queue id follows from the content as it came, boundaries included.
  const said = places(transcript.replaceAll(listed.id, "(id)").replace(/\[\d+\.\d+\.\d+\.\d+\]/g, "[client]"));
  const files: readonly (readonly [Form, string | Uint8Array])[] = [
    ["norm.eml", Buffer.from(text, "latin1")],
    ["norm.json", canonicalJson(replaced)],
    ["envelope.json", redactor.text(places(canonicalJson(kept)))],
    ["transcript.txt", said],
    ["eml", raw],
  ];
  const { receivedAt, from, to, subject } = listed;
  const summary = { receivedAt, from, to, subject, size: text.length, sha256: content };
  return {
    files,
    receivedAt: Date.parse(receivedAt),
    summary: JSON.parse(redactor.text(JSON.stringify(summary))) as Record<string, unknown>,
    key: [receivedAt, from, to.join(","), textOf(subject), content].join("\n"),
  };
}

const forms = {
  "norm.eml": "Message # in normal form",
  "norm.json": "What was replaced in it",
  "envelope.json": "Its envelope",
  "transcript.txt": "Its dialogue, without credentials",
  eml: "As it came, credentials replaced",
} as const;
type Form = keyof typeof forms;

function artefactOf(form: Form, sequence: number, bytes: Uint8Array): Artefact {
  const path = `${form === "eml" ? "volatile/" : ""}smtp/${String(sequence).padStart(6, "0")}.${form}`;
  return artefact(path, forms[form].replace("#", String(sequence)), bytes);
}

/** Header fields with their folded lines. */
const field = (names: string) => new RegExp(String.raw`^((?:${names}):)[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)`, "gim");
const fields = {
  date: field("Date"),
  ids: field("Message-ID|References|In-Reply-To"),
  traces: field("Received|DKIM-Signature|X-Mailer|User-Agent"),
};

/**
 * Replaces what clients draw at random or read from their clock: Date, message ids, MIME boundaries, trace and mailer
 * headers. One character per byte.
 */
export function normalMail(raw: string, receivedAt: string): { text: string; replaced: readonly Replacement[] } {
  const replaced: Replacement[] = [];
  const swap = (what: string, by: string) => {
    if (!replaced.some((known) => known.what === what)) replaced.push({ what, by });
    return by;
  };
  const end = /\r?\n\r?\n/.exec(raw)?.index ?? raw.length;
  const date = new Date(receivedAt).toUTCString().replace("GMT", "+0000");
  let header = raw.slice(0, end).replace(fields.date, (_, name: string) => {
    swap("Date", date);
    return `${name} ${date}`;
  });
  const ids = new Map<string, string>();
  header = header.replace(fields.ids, (_, name: string, value: string) => {
    const shown = value.replace(/<[^<>\s]+>/g, (id) => {
      const by = ids.get(id) ?? `<m-${String(ids.size + 1).padStart(6, "0")}@norm>`;
      ids.set(id, by);
      swap(`${name.slice(0, -1)} id ${ids.size}`, by);
      return by;
    });
    return `${name} ${shown}`;
  });
  header = header.replace(fields.traces, (_, name: string) => {
    swap(name.slice(0, -1), "(replaced)");
    return `${name} (replaced)`;
  });
  let text = header + raw.slice(end);
  const boundaries = [...text.matchAll(/boundary\s*=\s*(?:"([^"\r\n]+)"|([^\s;"]+))/gi)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
  for (const [index, boundary] of [...new Set(boundaries)].entries()) {
    if (boundary === "") continue;
    text = text.replaceAll(boundary, swap(`boundary ${index + 1}`, `=_b${index + 1}`));
  }
  return { text, replaced };
}
