import { decodeWords, headerValue } from "../domain/headers.ts";
import { inboxesOf } from "../domain/inbox.ts";
import { codesOf, linksOf } from "../domain/links.ts";
import type { Mail } from "../domain/mail.ts";
import type { Message, MessageSummary } from "../domain/message.ts";
import { warningsOf } from "../domain/warnings.ts";
import { text } from "./mailhog.ts";

/** `section` is the header, one character per byte. */
export function renderSummary(message: MessageSummary, section: string) {
  const subject = headerValue(section, "subject");
  return {
    id: message.id,
    cursor: message.arrival,
    receivedAt: new Date(message.receivedAt).toISOString(),
    truncated: message.truncated,
    from: message.mailFrom,
    to: message.recipients.map(({ address }) => address),
    subject: subject === undefined ? null : decodeWords(text(subject)),
    size: message.size,
    inboxes: inboxesOf(message).map(({ kind, name }) => `${kind}:${name}`),
  };
}

/** A message with everything that can be read from it. */
export function renderMail(message: Message, mail: Mail, marks: { read: boolean; tags: readonly string[] }) {
  return {
    id: message.id,
    cursor: message.arrival,
    receivedAt: new Date(message.receivedAt).toISOString(),
    envelope: { from: message.mailFrom, to: message.recipients.map(({ address }) => address) },
    inboxes: inboxesOf(message).map(({ kind, name }) => `${kind}:${name}`),
    from: mail.from ?? null,
    to: mail.to,
    cc: mail.cc,
    bcc: mail.bcc,
    replyTo: mail.replyTo,
    subject: mail.subject,
    messageId: mail.messageId,
    date: mail.date === undefined ? null : new Date(mail.date).toISOString(),
    headers: mail.headers.map(({ name, value }) => [name, value]),
    text: mail.text,
    html: mail.html,
    links: linksOf(mail),
    codes: codesOf(mail),
    parts: mail.parts.map((part) => ({
      partId: part.partId,
      filename: part.filename,
      contentType: part.contentType,
      contentId: part.contentId,
      inline: part.kind !== "attachment",
      size: part.content.length,
    })),
    read: marks.read,
    tags: marks.tags,
    size: message.size,
    warnings: warningsOf(message.raw),
    notRead: mail.problem ?? null,
  };
}

export function renderEnvelope(message: Message, remote: string) {
  return {
    id: message.id,
    receivedAt: new Date(message.receivedAt).toISOString(),
    truncated: message.truncated,
    mailFrom: { address: message.mailFrom, parameters: message.parameters ?? {} },
    rcptTo: message.recipients.map(({ address, parameters }) => ({ address, parameters: parameters ?? {} })),
    helo: message.helo,
    auth: message.username === undefined ? null : { mechanism: message.mechanism ?? null, username: message.username },
    secure: message.secure,
    remote,
    size: message.size,
    warnings: warningsOf(message.raw),
  };
}
