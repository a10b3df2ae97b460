import { createHash } from "node:crypto";
import type { Gist } from "../domain/gist.ts";
import { type Address, fieldOf, type Mail, type MailPart } from "../domain/mail.ts";
import type { MessageSummary } from "../domain/message.ts";
import { shown } from "../domain/parse-mail.ts";

const units = ["bytes", "KB", "MB", "GB"];

/** `9.5 KB`. */
export function sizeHuman(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${Number(value.toFixed(2))} ${units[unit]}`;
}

/** A name in the file system that tells nothing and cannot lead elsewhere. */
export function generatedFileName(part: MailPart): string {
  const key = part.contentId === "" ? `${part.partId}/${part.filename}` : part.contentId;
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(part.filename)?.[0] ?? "";
  return createHash("md5").update(key).digest("hex") + extension;
}

const addresses = (list: readonly Address[]) => list.map(({ address, name }) => ({ address, name }));

/** The message of MailDev 2; what a message does not have is absent. */
export function renderEmail(message: MessageSummary, mail: Mail, read: boolean) {
  return {
    ...(mail.html !== "" && { html: mail.html }),
    ...(mail.text !== "" && { text: mail.text }),
    ...bodyless(message, mail, read),
    attachments: mail.parts.length === 0 ? null : mail.parts.map(renderAttachment),
    calculatedBcc: hiddenRecipients(message, mail),
  };
}

/** The message of MailDev 3: the same with its own attachments. */
export function renderEmailV3(message: MessageSummary, mail: Mail, read: boolean) {
  return {
    ...renderEmail(message, mail, read),
    attachments: mail.parts.map((part) => ({
      filename: part.filename,
      generatedFileName: generatedFileName(part),
      contentType: part.contentType,
      contentDisposition: part.disposition,
      contentId: part.contentId,
      size: part.content.length,
    })),
  };
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
    sizeHuman: sizeHuman(message.size),
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

function renderAttachment(part: MailPart) {
  return {
    contentType: part.contentType,
    fileName: part.filename,
    generatedFileName: generatedFileName(part),
    contentDisposition: part.disposition,
    contentId: part.contentId === "" ? createHash("md5").update(part.filename).digest("hex") : part.contentId,
    transferEncoding: part.transferEncoding,
    checksum: createHash("md5").update(part.content).digest("hex"),
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
    sizeHuman: sizeHuman(message.size),
    from: gist.from === undefined ? [] : addresses([gist.from]),
    to: addresses(gist.to),
    ...(gist.cc.length > 0 && { cc: addresses(gist.cc) }),
    attachmentCount: gist.parts,
    preview: gist.snippet,
  };
}
