import { type Gist, gistOf } from "./domain/gist.ts";
import { type Mail, unread } from "./domain/mail.ts";
import type { MessageSummary } from "./domain/message.ts";
import { mostRead, parseMail } from "./domain/parse-mail.ts";
import type { MailStore } from "./store.ts";

/** Reads messages when somebody asks for them, and remembers what was asked for last. */
export interface Reader {
  /** Undefined when there is no such message. */
  mail(id: string): Promise<Mail | undefined>;
  gist(message: Pick<MessageSummary, "id" | "recipients">): Promise<Gist>;
  forget(id: string): void;
  forgetAll(): void;
}

const mostBytesHeld = 32 * 2 ** 20;
const mostGists = 5_000;
const deleted = unread("it was deleted");

export function createReader(store: Pick<MailStore, "message">): Reader {
  // A Map keeps the order of insertion: the first key is the one that was asked for longest ago.
  const mails = new Map<string, { readonly mail: Promise<Mail>; readonly size: number }>();
  const gists = new Map<string, Gist>();
  let held = 0;

  const drop = (id: string) => {
    const known = mails.get(id);
    if (known === undefined) return;
    mails.delete(id);
    held -= known.size;
  };
  const parse = (id: string): { mail: Promise<Mail>; size: number } | undefined => {
    const message = store.message(id);
    if (message === undefined) return undefined;
    return { mail: parseMail(message.raw, message.size), size: Math.min(message.size, mostRead) * 2 };
  };
  const mail = (id: string): Promise<Mail | undefined> => {
    const known = mails.get(id) ?? parse(id);
    if (known === undefined) return Promise.resolve(undefined);
    drop(id);
    mails.set(id, known);
    held += known.size;
    for (const oldest of mails.keys()) {
      if (held <= mostBytesHeld || oldest === id) break;
      drop(oldest);
    }
    return known.mail;
  };

  return {
    mail,
    async gist({ id, recipients }) {
      const known = gists.get(id);
      if (known !== undefined) return known;
      const read = (await mail(id)) ?? deleted;
      const gist = gistOf(
        read,
        recipients.map(({ address }) => address),
      );
      gists.set(id, gist);
      const oldest = gists.size > mostGists ? gists.keys().next().value : undefined;
      if (oldest !== undefined) gists.delete(oldest);
      return gist;
    },
    forget(id) {
      drop(id);
      gists.delete(id);
    },
    forgetAll() {
      mails.clear();
      gists.clear();
      held = 0;
    },
  };
}
