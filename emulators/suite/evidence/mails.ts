/** Captured mail: the normal form of each message with its replacements, its envelope and its dialogue. */

import { ask, type Member } from "../member.ts";
import type { Artefact } from "./artefact.ts";
import { sha256 } from "./attestation.ts";
import { canonicalJson, compareText } from "./canonical.ts";
import type { Redactor } from "./redact.ts";
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

const most = 1_000;

/** Whole messages only as far as the control API lists them: the newest thousand. */
export async function mailArtefacts(
  member: Member,
  redactor: Redactor,
  places: (text: string) => string,
): Promise<{ artefacts: readonly Artefact[]; count: number; left: number }> {
  const list = await ask<{ total: number; messages: readonly Listed[] }>(
    member,
    "GET",
    `/_backlot/smtp/messages?limit=${most}`,
  );
  const mails = await Promise.all(list.messages.map((message) => readMail(member, message, redactor, places)));
  mails.sort((left, right) => compareText(left.key, right.key));
  const artefacts = mails.flatMap((mail, index) => filesOf(mail, String(index + 1).padStart(6, "0")));
  const summary = mails.map(({ summary: about }, index) => ({ sequence: index + 1, ...about }));
  artefacts.push({
    path: "smtp/messages.json",
    class: "norm",
    mediaType: "application/json",
    about: "Captured messages, by time and content",
    bytes: Buffer.from(canonicalJson(summary)),
  });
  return { artefacts, count: mails.length, left: Math.max(0, list.total - mails.length) };
}

type Mail = Awaited<ReturnType<typeof readMail>>;

async function readMail(member: Member, listed: Listed, redactor: Redactor, places: (text: string) => string) {
  const at = `/_backlot/smtp/messages/${encodeURIComponent(listed.id)}`;
  const response = await member.request("GET", `${at}/raw`);
  const raw = redactor.bytes(Buffer.from(await response.arrayBuffer()));
  const envelope = await ask<Record<string, unknown>>(member, "GET", `${at}/envelope`);
  const said = await member.request("GET", `${at}/transcript`);
  const transcript = said.ok ? redactor.text(await said.text()) : "";
  const { text, replaced } = normalMail(raw.toString("latin1"), listed.receivedAt);
  const { id: _id, remote: _remote, size: _size, ...kept } = envelope;
  const content = sha256(Buffer.from(text, "latin1"));
  return {
    raw,
    normal: Buffer.from(text, "latin1"),
    replaced,
    envelope: redactor.text(places(canonicalJson(kept))),
    // The queue id follows from the content as it came, boundaries included.
    transcript: places(transcript.replaceAll(listed.id, "(id)").replace(/\[\d+\.\d+\.\d+\.\d+\]/g, "[client]")),
    summary: JSON.parse(
      redactor.text(
        JSON.stringify({
          receivedAt: listed.receivedAt,
          from: listed.from,
          to: listed.to,
          subject: listed.subject,
          size: text.length,
          sha256: content,
        }),
      ),
    ) as Record<string, unknown>,
    key: [listed.receivedAt, listed.from, listed.to.join(","), textOf(listed.subject), content].join("\n"),
  };
}

function filesOf({ raw, normal, replaced, envelope, transcript }: Mail, sequence: string): Artefact[] {
  const base = `smtp/${sequence}`;
  const text = (path: string, mediaType: string, about: string, bytes: Uint8Array): Artefact => ({
    path,
    class: path.startsWith("volatile/") ? "vol" : "norm",
    mediaType,
    about,
    bytes,
  });
  return [
    text(`${base}.norm.eml`, "message/rfc822", `Message ${Number(sequence)} in normal form`, normal),
    text(`${base}.norm.json`, "application/json", "What was replaced in it", Buffer.from(canonicalJson(replaced))),
    text(`${base}.envelope.json`, "application/json", "Its envelope", Buffer.from(envelope)),
    text(`${base}.transcript.txt`, "text/plain", "Its dialogue, without credentials", Buffer.from(transcript)),
    text(`volatile/${base}.eml`, "message/rfc822", "As it came, credentials replaced", raw),
  ];
}

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
  const field = (names: string) =>
    new RegExp(String.raw`^((?:${names}):)[ \t]*([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)`, "gim");
  let header = raw.slice(0, end).replace(field("Date"), (_, name: string) => {
    swap("Date", date);
    return `${name} ${date}`;
  });
  const ids = new Map<string, string>();
  header = header.replace(field("Message-ID|References|In-Reply-To"), (_, name: string, value: string) => {
    const shown = value.replace(/<[^<>\s]+>/g, (id) => {
      const by = ids.get(id) ?? `<m-${String(ids.size + 1).padStart(6, "0")}@norm>`;
      ids.set(id, by);
      swap(`${name.slice(0, -1)} id ${ids.size}`, by);
      return by;
    });
    return `${name} ${shown}`;
  });
  header = header.replace(field("Received|DKIM-Signature|X-Mailer|User-Agent"), (_, name: string) => {
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
