import type { Attachment, Email, Address as Parsed } from "postal-mime";
import { decodeWords } from "./headers.ts";
import { type Address, fieldOf, type HeaderField, type Mail, type MailPart, type PartKind, unread } from "./mail.ts";
import { type Leaf, structureOf } from "./mime-structure.ts";
import { linesOf, readSimple, type SimpleMail } from "./simple-mail.ts";
import { decodedBody } from "./transfer-encoding.ts";

/** A message beyond this is read from its beginning only: reading takes several times its size in memory. */
export const mostRead = 10 * 2 ** 20;
const mostSimple = 262_144;
/** How much of such a message is read: enough for its header and for texts that come before attachments. */
export const beginningRead = 2 ** 20;

/**
 * Reads a message; never fails. `raw` may be the beginning of a message of `size` bytes. What is too large, too deep or in
 * too many parts is read as far as is safe, and `problem` says so.
 */
export async function parseMail(raw: Buffer, size = raw.length): Promise<Mail> {
  const { default: PostalMime, addressParser } = await import("postal-mime");
  const simple = raw.length === size && size <= mostSimple ? readSimple(raw) : undefined;
  if (simple !== undefined) return simpleMail(simple, addressParser);
  const whole = size <= mostRead && raw.length >= size;
  const bytes = whole ? raw : raw.subarray(0, beginningRead);
  const structure = structureOf(bytes.toString("latin1"));
  const options = { forceRfc822Attachments: true, maxNestingDepth: 64 };
  const cut = whole ? undefined : `it is larger than ${mostRead} bytes, so only its beginning was read`;
  if (structure.problem === undefined) {
    try {
      const email = await PostalMime.parse(bytes, options);
      const mail = mailOf(email, partsOf(email.attachments, structure.leaves, bytes), cut);
      return { ...mail, lastLineEnds: lastLineEnds(structure.leaves, bytes) };
    } catch (cause) {
      return headerOnly(bytes, cause instanceof Error ? cause.message : String(cause));
    }
  }
  return headerOnly(bytes, structure.problem);

  async function headerOnly(message: Buffer, problem: string): Promise<Mail> {
    const end = message.indexOf("\r\n\r\n");
    const section = message.subarray(0, end === -1 ? Math.min(message.length, 65_536) : Math.min(end, 262_144));
    const lines = section.toString("latin1").replaceAll(/^content-type[ \t]*:.*(?:\r?\n[ \t].*)*/gim, "X-Unread: yes");
    try {
      return mailOf(await PostalMime.parse(Buffer.from(`${lines}\r\n\r\n`, "latin1"), options), [], problem);
    } catch {
      return unread(problem);
    }
  }
}

function simpleMail({ headers, kind, encoded, body }: SimpleMail, parse: (text: string) => Parsed[]): Mail {
  const textOf = (name: string) => fieldOf({ headers }, name);
  const people = (name: string) =>
    headers.flatMap((field) =>
      field.name.length === name.length && field.name.toLowerCase() === name ? addressesOf(field.value, parse) : [],
    );
  const date = Date.parse(textOf("date") ?? "");
  let text: string | undefined;
  return {
    headers,
    from: people("from")[0],
    to: people("to"),
    cc: people("cc"),
    bcc: people("bcc"),
    replyTo: people("reply-to"),
    subject: shown(textOf("subject")),
    messageId: bare(textOf("message-id")),
    date: Number.isNaN(date) ? undefined : date,
    // A search index takes the bytes: the string is made when somebody reads it.
    get text() {
      text ??= kind === "text" ? linesOf(body) : "";
      return text;
    },
    html: kind === "html" ? linesOf(body) : "",
    lastLineEnds: body.at(-1) === lineFeed,
    asSent: kind === "text" && !encoded ? body : undefined,
    parts: [],
    problem: undefined,
  };
}

/** One address as nearly all are written; the parser, which knows the others, takes ten times as long. */
const usual = /^(?:(?:(\w+(?: \w+)*) )?<(\w[\w.+-]*@[\w.-]*\w)>|(\w[\w.+-]*@[\w.-]*\w))$/;

function addressesOf(value: string, parse: (text: string) => Parsed[]): readonly Address[] {
  if (value === "") return [];
  const [, name = "", angled, address = angled] = usual.exec(value) ?? [];
  return address === undefined ? flat(parse(value)) : [{ name, address }];
}

function mailOf(email: Email, parts: readonly MailPart[], problem: string | undefined): Mail {
  const date = email.date === undefined ? Number.NaN : Date.parse(email.date);
  const headers = email.headers.map(({ originalKey, value }): HeaderField => ({ name: originalKey, value }));
  return {
    headers,
    from: email.from === undefined ? undefined : flat([email.from])[0],
    to: flat(email.to),
    cc: flat(email.cc),
    bcc: flat(email.bcc),
    replyTo: flat(email.replyTo),
    subject: email.subject ?? "",
    messageId: bare(email.messageId),
    date: Number.isNaN(date) ? undefined : date,
    text: crlfFree(email.text),
    html: crlfFree(email.html),
    lastLineEnds: false,
    asSent: undefined,
    parts,
    problem,
  };
}

const lineFeed = 10;

function lastLineEnds([leaf, ...others]: readonly Leaf[], raw: Buffer): boolean {
  if (leaf === undefined || others.length > 0 || leaf.partId !== "0") return false;
  return decodedBody(raw.subarray(leaf.start, leaf.end), leaf.transferEncoding).at(-1) === lineFeed;
}

/** The parser ends every text with a line feed of its own. */
function crlfFree(text: string | undefined): string {
  if (text === undefined) return "";
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function flat(addresses: readonly Parsed[] | undefined): Address[] {
  return (addresses ?? []).flatMap((entry) =>
    entry.group === undefined
      ? [{ name: entry.name, address: entry.address }]
      : entry.group.map(({ name, address }) => ({ name, address })),
  );
}

function bare(id: string | undefined): string {
  return (id ?? "").trim().replace(/^<|>$/g, "");
}

/** The parser's attachments in document order, each with its place in the tree of `raw` and its bytes there. */
function partsOf(attachments: readonly Attachment[], leaves: readonly Leaf[], raw: Buffer): readonly MailPart[] {
  const places = leaves.filter(
    ({ contentType, disposition }) =>
      disposition === "attachment" || (contentType !== "text/plain" && contentType !== "text/html"),
  );
  let next = 0;
  return attachments.map((attachment, index): MailPart => {
    const found = places.findIndex((leaf, at) => at >= next && leaf.contentType === attachment.mimeType);
    const leaf = places[found];
    if (leaf !== undefined) next = found + 1;
    return {
      partId: leaf?.partId ?? `a${index + 1}`,
      filename: attachment.filename ?? "",
      contentType: attachment.mimeType,
      contentId: bare(attachment.contentId),
      disposition: attachment.disposition ?? "",
      transferEncoding: leaf?.transferEncoding ?? "",
      kind: kindOf(attachment, leaf?.partId === "0"),
      content: leaf === undefined ? bytesOf(attachment.content) : contentOf(leaf, raw, attachment),
    };
  });
}

/** As enmime sorts them (envelope.go), with which Mailpit reads; `alone`: the part is the whole message. */
function kindOf({ disposition, mimeType }: Attachment, alone: boolean): PartKind {
  if (disposition === "inline") return "inline";
  return alone || disposition === "attachment" || mimeType === "application/octet-stream" ? "attachment" : "other";
}

/** The parser reads line by line: it gives other line ends than were sent, and calendars a line end of its own. */
function contentOf(leaf: Leaf, raw: Buffer, attachment: Attachment): Uint8Array {
  const calendar = leaf.contentType === "text/calendar" || leaf.contentType === "application/ics";
  if (leaf.transferEncoding === "base64" && !calendar) return bytesOf(attachment.content); // it mends what is broken
  return decodedBody(raw.subarray(leaf.start, leaf.end), leaf.transferEncoding);
}

function bytesOf(content: Attachment["content"]): Uint8Array {
  if (typeof content === "string") return Buffer.from(content);
  return content instanceof ArrayBuffer ? new Uint8Array(content) : content;
}

/** A header value as people read it. */
export function shown(value: string | undefined): string {
  return value === undefined ? "" : decodeWords(value);
}
