import { createHash } from "node:crypto";
import type { Gist } from "../domain/gist.ts";
import { linesOfPage } from "../domain/html-lines.ts";
import { type Address, fieldOf, type Mail, type MailPart } from "../domain/mail.ts";
import type { MessageSummary } from "../domain/message.ts";
import { shown } from "../domain/parse-mail.ts";

/** `9.5 KB`; what is smaller is in `bytes` in version 2 and in `Bytes` in version 3. */
function sizeHuman(size: number, bytes: "bytes" | "Bytes"): string {
  const units = [bytes, "KB", "MB", "GB"];
  let [value, unit] = [size, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toFixed(2))} ${units[unit]}`;
}

const md5 = (content: string | Uint8Array) => createHash("md5").update(content).digest("hex");

/** A name in the file system that tells nothing and cannot lead elsewhere: of the id of the part, or of its place. */
export function generatedFileName(part: MailPart): string {
  const key = part.contentId === "" ? `${part.partId}/${part.filename}` : part.contentId;
  return md5(key) + (/\.[A-Za-z0-9]{1,10}$/.exec(part.filename)?.[0] ?? "");
}

const addresses = (list: readonly Address[]) => list.map(({ address, name }) => ({ address, name }));

/** The message of MailDev 2; what a message does not have is absent. */
export function renderEmail(message: MessageSummary, mail: Mail, read: boolean) {
  const calendars = mail.parts.filter(isAlternative);
  const files = mail.parts.filter((part) => !isAlternative(part));
  return {
    ...texts(mail),
    ...bodyless(message, mail, read),
    ...(calendars.length > 0 && { alternatives: calendars.map(renderAlternative) }),
    attachments: files.length === 0 ? null : files.map(renderAttachment),
    calculatedBcc: hiddenRecipients(message, mail),
  };
}

/** The message of MailDev 3: the same with its own attachments, and a text where there is only HTML. */
export function renderEmailV3(message: MessageSummary, mail: Mail, read: boolean) {
  return {
    ...texts(mail),
    ...(mail.text === "" && mail.html !== "" && { text: linesOfPage(mail.html) }),
    ...bodyless(message, mail, read),
    sizeHuman: sizeHuman(message.size, "Bytes"),
    attachments: mail.parts.map((part) => ({
      filename: part.filename,
      generatedFileName: generatedFileName(part),
      contentType: part.contentType,
      contentDisposition: part.disposition === "" ? "attachment" : part.disposition,
      ...(part.contentId !== "" && { contentId: part.contentId }),
      size: part.content.length,
    })),
    calculatedBcc: hiddenRecipients(message, mail),
  };
}

function texts({ html, text, lastLineEnds }: Mail) {
  const end = lastLineEnds ? "\n" : "";
  return { ...(html !== "" && { html: html + end }), ...(text !== "" && { text: text + end }) };
}

function bodyless(message: MessageSummary, mail: Mail, read: boolean) {
  const date = new Date(mail.date ?? message.receivedAt).toISOString();
  return {
    headers: renderHeaders(mail),
    subject: mail.subject,
    ...(mail.messageId !== "" && { messageId: mail.messageId }),
    priority: priorityOf(mail),
    from: mail.from === undefined ? [] : addresses([mail.from]),
    to: addresses(mail.to),
    ...(mail.cc.length > 0 && { cc: addresses(mail.cc) }),
    ...(mail.bcc.length > 0 && { bcc: addresses(mail.bcc) }),
    ...(mail.replyTo.length > 0 && { replyTo: addresses(mail.replyTo) }),
    date,
    id: message.id,
    time: date,
    read,
    envelope: {
      from: { address: message.mailFrom, args: message.parameters ?? false },
      to: message.recipients.map(({ address, parameters }) => ({ address, args: parameters ?? false })),
      host: message.helo,
      remoteAddress: "127.0.0.1",
    },
    source: `${message.id}.eml`,
    size: message.size,
    sizeHuman: sizeHuman(message.size, "bytes"),
  };
}

/** Lower-case names; a repeated header is a list. */
function renderHeaders(mail: Mail): Record<string, string | readonly string[]> {
  const headers: Record<string, string | string[]> = {};
  for (const { name, value } of mail.headers) {
    const key = name.toLowerCase();
    const known = headers[key];
    const text = shown(value);
    if (known === undefined) headers[key] = text;
    else headers[key] = [...(Array.isArray(known) ? known : [known]), text];
  }
  return headers;
}

function priorityOf(mail: Mail): "high" | "normal" | "low" {
  const value = (
    fieldOf(mail, "x-priority") ??
    fieldOf(mail, "priority") ??
    fieldOf(mail, "importance") ??
    ""
  ).toLowerCase();
  if (/^[12]\b|high|^urgent/.test(value)) return "high";
  return /^[45]\b|low|non-urgent/.test(value) ? "low" : "normal";
}

/** An invitation's calendar is to version 2 another form of the text, unless it is sent as a file. */
function isAlternative({ contentType, disposition }: MailPart): boolean {
  return contentType === "text/calendar" && disposition !== "attachment";
}

function renderAlternative(part: MailPart) {
  return {
    contentType: part.contentType,
    ...(part.transferEncoding !== "" && { transferEncoding: part.transferEncoding }),
    content: Buffer.from(part.content).toString("utf8").replaceAll("\r\n", "\n"),
  };
}

function renderAttachment(part: MailPart) {
  return {
    contentType: part.contentType,
    ...(part.filename !== "" && { fileName: part.filename }),
    generatedFileName: generatedFileName(part),
    ...(part.disposition !== "" && { contentDisposition: part.disposition }),
    contentId: part.contentId === "" ? `${md5(part.filename)}@mailparser` : part.contentId,
    ...(part.transferEncoding !== "" && { transferEncoding: part.transferEncoding }),
    checksum: md5(part.content),
    length: part.content.length,
    transformed: true,
  };
}

/** MailDev's own reckoning: a recipient that To and Cc name once counts there once. */
function hiddenRecipients(message: MessageSummary, mail: Mail) {
  const named = [...mail.cc, ...mail.to].map(({ address }) => address);
  return message.recipients.flatMap(({ address }) => {
    const at = named.indexOf(address);
    if (at === -1) return [{ address, name: "" }];
    named.splice(at, 1);
    return [];
  });
}

export function renderShort(message: MessageSummary, gist: Gist, read: boolean) {
  return {
    id: message.id,
    time: new Date(gist.date ?? message.receivedAt).toISOString(),
    read,
    subject: gist.subject,
    size: message.size,
    sizeHuman: sizeHuman(message.size, "Bytes"),
    from: gist.from === undefined ? [] : addresses([gist.from]),
    to: addresses(gist.to),
    ...(gist.cc.length > 0 && { cc: addresses(gist.cc) }),
    attachmentCount: gist.parts,
    preview: gist.preview,
  };
}
