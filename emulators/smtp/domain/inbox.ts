import type { MessageSummary } from "./message.ts";

export type InboxKind = "header" | "user" | "domain" | "tag";

export interface Inbox {
  readonly kind: InboxKind;
  readonly name: string;
}

/**
 * The inboxes a message is in: the one its X-Backlot-Inbox header asks for, its sender's login, the domains of its
 * recipients and the plus parts of their addresses.
 */
export function inboxesOf(message: Pick<MessageSummary, "inbox" | "username" | "recipients">): readonly Inbox[] {
  const found: Inbox[] = [];
  const add = (kind: InboxKind, name: string | undefined) => {
    if (name !== undefined && name !== "" && !found.some((inbox) => inbox.kind === kind && inbox.name === name))
      found.push({ kind, name });
  };
  add("header", message.inbox);
  add("user", message.username);
  for (const { address } of message.recipients) {
    const at = address.lastIndexOf("@");
    if (at === -1) continue;
    add("domain", address.slice(at + 1).toLowerCase());
    const plus = address.lastIndexOf("+", at);
    if (plus !== -1) add("tag", address.slice(plus + 1, at).toLowerCase());
  }
  return found;
}

/** `signup` is an inbox of any kind with that name, `tag:signup` one of that kind. */
export function inInbox(wanted: string): (message: Parameters<typeof inboxesOf>[0]) => boolean {
  const [, kind, name] = /^(header|user|domain|tag):(.+)$/s.exec(wanted) ?? [];
  const asked = (name ?? wanted).toLowerCase();
  return (message) =>
    inboxesOf(message).some(
      (inbox) => (kind === undefined || inbox.kind === kind) && inbox.name.toLowerCase() === asked,
    );
}
