import { createHash } from "node:crypto";
import type { Gist } from "../domain/gist.ts";
import { plainOfHtml } from "../domain/html-plain.ts";
import { readListUnsubscribe } from "../domain/list-unsubscribe.ts";
import { type Address, blindCopies, fieldOf, type Mail, type MailPart, type PartKind } from "../domain/mail.ts";
import type { MessageSummary } from "../domain/message.ts";

/** Marks of a message at the time of the answer. */
export interface Marked {
  readonly read: boolean;
  readonly tags: readonly string[];
}

export function renderSummary(message: MessageSummary, gist: Gist, marked: Marked) {
  return {
    ID: message.id,
    MessageID: gist.messageId,
    Read: marked.read,
    From: renderSender(gist),
    To: orNull(gist.to),
    Cc: orNull(gist.cc),
    Bcc: orNull(gist.bcc),
    ReplyTo: gist.replyTo.map(renderAddress),
    Subject: gist.subject,
    Created: new Date(message.receivedAt).toISOString(),
    Username: message.username ?? "",
    Tags: marked.tags,
    Size: message.size,
    Attachments: gist.attachments,
    Snippet: gist.snippet,
  };
}
export type MailpitSummary = ReturnType<typeof renderSummary>;

export interface Totals {
  readonly total: number;
  readonly unread: number;
  readonly matches: number;
  readonly matchesUnread: number;
  readonly start: number;
  readonly tags: readonly string[];
}

export function renderList(totals: Totals, messages: readonly MailpitSummary[]) {
  return {
    total: totals.total,
    unread: totals.unread,
    count: messages.length,
    messages_count: totals.matches,
    messages_unread: totals.matchesUnread,
    start: totals.start,
    tags: totals.tags,
    messages,
  };
}

export function renderMessage(message: MessageSummary, mail: Mail, gist: Gist, tags: readonly string[]) {
  const unsubscribe = readListUnsubscribe(fieldOf(mail, "list-unsubscribe"), fieldOf(mail, "list-unsubscribe-post"));
  const ofKind = (kind: PartKind) =>
    mail.parts.filter((part) => part.kind === kind && (part.filename !== "" || part.contentId !== ""));
  return {
    ID: message.id,
    MessageID: mail.messageId,
    From: renderSender(gist),
    To: mail.to.map(renderAddress),
    Cc: mail.cc.map(renderAddress),
    Bcc: blindCopies(
      mail,
      message.recipients.map(({ address }) => address),
    ).map(renderAddress),
    ReplyTo: mail.replyTo.map(renderAddress),
    ReturnPath: message.mailFrom,
    Subject: mail.subject,
    ListUnsubscribe: {
      Header: unsubscribe.header,
      Links: unsubscribe.links,
      Errors: unsubscribe.errors,
      HeaderPost: unsubscribe.post,
    },
    Date: new Date(mail.date ?? message.receivedAt).toISOString(),
    Tags: tags,
    Username: message.username ?? "",
    Text: readableText(mail),
    HTML: mail.html,
    Size: message.size,
    Inline: [...ofKind("inline"), ...ofKind("other")].map(renderPart),
    Attachments: ofKind("attachment").map(renderPart),
  };
}

function renderPart(part: MailPart) {
  const digest = (algorithm: string) => createHash(algorithm).update(part.content).digest("hex");
  return {
    PartID: part.partId,
    FileName: part.filename === "" ? part.contentId : part.filename,
    ContentType: part.contentType,
    ContentID: part.contentId,
    Size: part.content.length,
    Checksums: { MD5: digest("md5"), SHA1: digest("sha1"), SHA256: digest("sha256") },
  };
}

/** Header names as Go writes them (`Content-Type`, `Message-Id`), in order; values as they stand. */
export function renderHeaders(mail: Mail): Record<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const { name, value } of mail.headers) {
    const canonical = name
      .toLowerCase()
      .replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
    const known = values.get(canonical);
    if (known === undefined) values.set(canonical, [value]);
    else known.push(value);
  }
  return Object.fromEntries([...values].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** What Mailpit gives as text, of a message that has only HTML too. */
export function readableText({ text, html }: Pick<Mail, "text" | "html">): string {
  return text === "" && html !== "" ? plainOfHtml(html) : text;
}

/** A message without a sender has an empty one, in lists and by itself. */
function renderSender({ from }: Gist) {
  return renderAddress(from ?? { name: "", address: "" });
}

export function renderAddress({ name, address }: Address) {
  return { Name: name, Address: address };
}

/** Empty lists are null in Mailpit's lists. */
function orNull(addresses: readonly Address[]) {
  return addresses.length === 0 ? null : addresses.map(renderAddress);
}
