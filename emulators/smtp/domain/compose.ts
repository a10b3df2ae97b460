import type { Address } from "./mail.ts";

export interface Attachment {
  readonly filename: string;
  readonly contentType: string;
  /** Shown inside the HTML as `cid:` when it is not empty. */
  readonly contentId: string;
  readonly content: Buffer;
}

export interface Composition {
  readonly from: Address;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  /** With angle brackets. */
  readonly messageId: string;
  /** Epoch milliseconds. */
  readonly date: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text: string;
  readonly html: string;
  readonly attachments: readonly Attachment[];
  /** What the boundaries are made from; the same for the same message. */
  readonly key: string;
}

/** A message as text with CRLF line ends, the same bytes for the same composition. */
export function compose(mail: Composition): Buffer {
  const inline = mail.attachments.filter(({ contentId }) => contentId !== "");
  const files = mail.attachments.filter(({ contentId }) => contentId === "");
  const texts = [
    ...(mail.text !== "" || mail.html === "" ? [textPart("text/plain", mail.text)] : []),
    ...(mail.html === "" ? [] : [textPart("text/html", mail.html)]),
  ];
  const body = grouped("alternative", texts, mail.key);
  const withInline = grouped("related", [body, ...inline.map((part) => filePart(part, "inline"))], mail.key);
  const whole = grouped("mixed", [withInline, ...files.map((part) => filePart(part, "attachment"))], mail.key);
  const header = [
    ["From", addressList([mail.from])],
    ["To", addressList(mail.to)],
    ["Cc", addressList(mail.cc)],
    ["Bcc", addressList(mail.bcc)],
    ["Reply-To", addressList(mail.replyTo)],
    ["Subject", words(mail.subject)],
    ["Date", mailDate(mail.date)],
    ["Message-ID", mail.messageId],
    ...mail.headers.map(([name, value]) => [name, words(value)] as const),
    ["MIME-Version", "1.0"],
  ] as const;
  const lines = header.filter(([, value]) => value !== "").map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n${whole}`);
}

/** RFC 5322 3.3, in UTC. */
export function mailDate(at: number): string {
  return new Date(at).toUTCString().replace("GMT", "+0000");
}

/** Several parts, headers first in each, become one; a single one stays as it is. */
export function grouped(kind: string, parts: readonly string[], key: string): string {
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const boundary = `=_${kind}_${key}`;
  const open = parts.map((part) => `--${boundary}\r\n${part}`).join("\r\n");
  return `Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n${open}\r\n--${boundary}--\r\n`;
}

export function textPart(type: string, text: string): string {
  const lines = text.replaceAll(/\r\n|\r|\n/g, "\r\n");
  const plain = !/[^\x20-\x7e\r\n\t]/.test(lines) && lines.split("\r\n").every((line) => line.length <= 998);
  const head = `Content-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: `;
  return plain ? `${head}7bit\r\n\r\n${lines}` : `${head}base64\r\n\r\n${base64(Buffer.from(lines))}`;
}

function filePart(part: Attachment, disposition: string): string {
  const name = parameter(part.filename);
  const id = part.contentId === "" ? "" : `Content-ID: <${singleLine(part.contentId)}>\r\n`;
  return (
    `Content-Type: ${singleLine(part.contentType)}; name${name}\r\n${id}` +
    `Content-Disposition: ${disposition}; filename${name}\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(part.content)}`
  );
}

/** RFC 2231 where a name is not ASCII. */
function parameter(value: string): string {
  const line = singleLine(value);
  if (/^[\x20-\x7e]*$/.test(line)) return `="${line.replaceAll(/["\\]/g, "\\$&")}"`;
  return `*=utf-8''${encodeURIComponent(line).replaceAll("'", "%27")}`;
}

function base64(content: Buffer): string {
  return content.toString("base64").replaceAll(/.{76}(?=.)/g, "$&\r\n");
}

function addressList(addresses: readonly Address[]): string {
  return addresses.map(formatAddress).join(", ");
}

export function formatAddress({ name, address }: Address): string {
  const bare = `<${singleLine(address)}>`;
  if (name === "") return bare.slice(1, -1);
  const spoken = words(name);
  return `${spoken === name && !/^[\w !#$%&'*+/=?^`{|}~-]*$/.test(name) ? `"${name.replaceAll(/["\\]/g, "\\$&")}"` : spoken} ${bare}`;
}

/** A header text: as it is when it is short ASCII, else encoded words of at most 75 characters (RFC 2047). */
export function words(text: string): string {
  const line = singleLine(text);
  if (/^[\x20-\x7e]*$/.test(line) && line.length <= 900 && !line.includes("=?")) return line;
  const pieces: string[] = [];
  let piece = "";
  for (const character of line) {
    if (Buffer.byteLength(piece + character) > 42) {
      pieces.push(piece);
      piece = "";
    }
    piece += character;
  }
  pieces.push(piece);
  return pieces.map((part) => `=?utf-8?B?${Buffer.from(part).toString("base64")}?=`).join("\r\n ");
}

/** No header of a caller's may begin another one. */
function singleLine(text: string): string {
  return text.replaceAll(/[\r\n\0]+/g, " ");
}
