import { headerValue } from "./headers.ts";

/** Letters, digits, spaces, dashes, dots, underscores and @: what Mailpit takes as a tag. */
const valid = /^[a-zA-Z0-9\- _.@]{1,100}$/;

export function cleanTag(text: string): string | undefined {
  const tag = text.trim().replaceAll(/\s+/g, " ");
  return valid.test(tag) ? tag : undefined;
}

/** In order, each once, whatever its case. */
export function uniqueTags(tags: readonly string[]): readonly string[] {
  const byName = new Map<string, string>();
  for (const text of tags) {
    const tag = cleanTag(text);
    if (tag !== undefined && !byName.has(tag.toLowerCase())) byName.set(tag.toLowerCase(), tag);
  }
  return [...byName.values()].sort((left, right) => (left.toLowerCase() < right.toLowerCase() ? -1 : 1));
}

const plusAddress = /\+([^\s@<>,;:"()+]+)@/g;
const hasPlus = new RegExp(plusAddress.source);

/** Tags a message brings: its X-Tags header, and the plus parts of its addresses (`ann+signup@` gives `signup`). */
export function tagsOfMessage(section: string, recipients: readonly string[]): readonly string[] {
  const tagged = /^x-tags[ \t]*:/im.test(section);
  // Nearly every Date has a plus, so that one alone says nothing.
  if (!tagged && !hasPlus.test(section) && !recipients.some((address) => hasPlus.test(address))) return [];
  const found = tagged ? (headerValue(section, "x-tags") ?? "").split(",") : [];
  const lists = ["from", "to", "cc", "bcc", "reply-to"].map((name) => headerValue(section, name) ?? "");
  for (const text of [...lists, ...recipients])
    for (const [, tag] of text.matchAll(plusAddress)) if (tag !== undefined) found.push(tag);
  return uniqueTags(found);
}
