import { type Content, readMessage } from "../domain/mailhog-mime.ts";
import type { Message } from "../domain/message.ts";

/** The host name MailHog is born with: part of its ids and of the header it adds. */
export const mailhogHost = "mailhog.example";

interface Path {
  readonly Relays: readonly string[] | null;
  readonly Mailbox: string;
  readonly Domain: string;
  readonly Params: string;
}
interface ContentBody {
  readonly Headers: Readonly<Record<string, readonly string[]>>;
  readonly Body: string;
  readonly Size: number;
  readonly MIME: { readonly Parts: readonly ContentBody[] } | null;
}
export interface MailhogMessage {
  readonly ID: string;
  readonly From: Path;
  readonly To: readonly Path[];
  readonly Content: ContentBody;
  readonly Created: string;
  readonly MIME: { readonly Parts: readonly ContentBody[] | null } | null;
  readonly Raw: { readonly From: string; readonly To: readonly string[]; readonly Data: string; readonly Helo: string };
}

export function mailhogId(id: string): string {
  return `${id}@${mailhogHost}`;
}

/** The id of ours in what a client sends: MailHog's form or, from the reply to DATA, the bare one. */
export function idFrom(mailhogForm: string): string {
  const suffix = `@${mailhogHost}`;
  return mailhogForm.endsWith(suffix) ? mailhogForm.slice(0, -suffix.length) : mailhogForm;
}

/** MailHog keeps a message without the line end before the final dot. */
export function mailhogData(raw: Buffer): string {
  const data = raw.toString("latin1");
  return data.endsWith("\r\n") ? data.slice(0, -2) : data;
}

export function renderMessage(message: Message): MailhogMessage {
  const data = mailhogData(message.raw);
  const { content, parts } = readMessage(data);
  return {
    ID: mailhogId(message.id),
    From: renderPath(message.mailFrom),
    To: message.recipients.map(({ address }) => renderPath(address)),
    Content: {
      Headers: renderHeaders(withTraces(content.headers, message)),
      Body: text(content.body),
      Size: content.size,
      MIME: null,
    },
    Created: goTime(message.receivedAt),
    MIME: parts === undefined ? null : { Parts: parts.length === 0 ? null : parts.map(renderContent) },
    Raw: {
      From: message.mailFrom,
      To: message.recipients.map(({ address }) => address),
      Data: text(data),
      Helo: message.helo,
    },
  };
}

export function renderPage(page: { total: number; start: number; items: readonly Message[] }) {
  return { total: page.total, count: page.items.length, start: page.start, items: page.items.map(renderMessage) };
}

/** The headers with what MailHog adds: Message-ID where there is none, and the way the message took. */
export function withTraces(
  headers: Content["headers"],
  message: Pick<Message, "id" | "mailFrom" | "helo" | "receivedAt">,
): Record<string, readonly string[]> {
  const added: Record<string, readonly string[]> = { ...headers };
  const nameOf = (wanted: string) => Object.keys(headers).find((name) => name.toLowerCase() === wanted);
  const id = mailhogId(message.id);
  if (nameOf("message-id") === undefined) added["Message-ID"] = [id];
  const received = nameOf("received") ?? "Received";
  const trace = `from ${message.helo} by ${mailhogHost} (MailHog)\r\n          id ${id}; ${goDate(message.receivedAt)}`;
  added[received] = [...(headers[received] ?? []), trace];
  const returnPath = nameOf("return-path") ?? "Return-Path";
  added[returnPath] = [...(headers[returnPath] ?? []), `<${message.mailFrom}>`];
  return added;
}

/** Header names in byte order, as Go writes a map. */
function renderHeaders(headers: Content["headers"]): Record<string, readonly string[]> {
  const names = Object.keys(headers).sort();
  return Object.fromEntries(names.map((name) => [text(name), (headers[name] ?? []).map(text)]));
}

function renderContent(content: Content): ContentBody {
  return {
    Headers: renderHeaders(content.headers),
    Body: text(content.body),
    Size: content.size,
    MIME: content.parts === undefined ? null : { Parts: content.parts.map(renderContent) },
  };
}

function renderPath(path: string): Path {
  const colon = path.indexOf(":");
  const email = colon === -1 ? path : path.slice(colon + 1);
  const at = email.indexOf("@");
  return {
    Relays: colon === -1 ? null : path.slice(0, colon).split(","),
    Mailbox: at === -1 ? email : email.slice(0, at),
    Domain: at === -1 ? "" : email.slice(at + 1),
    Params: "",
  };
}

/** One character per byte to text: UTF-8, with U+FFFD for what is none, as Go's JSON has it. */
export function text(bytes: string): string {
  return /[\x80-\xff]/.test(bytes) ? Buffer.from(bytes, "latin1").toString("utf8") : bytes;
}

/** RFC 3339 as Go prints it: no trailing zeros in the fraction. */
function goTime(at: number): string {
  return new Date(at).toISOString().replace(/\.?0*Z$/, "Z");
}

/** RFC 1123 with a numeric zone. */
function goDate(at: number): string {
  return new Date(at).toUTCString().replace("GMT", "+0000");
}
