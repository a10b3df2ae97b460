import { isAscii } from "node:buffer";
import { senderOf } from "./gist.ts";
import { textWithAddresses } from "./html-text.ts";
import { type Address, blindCopies, fieldOf, type Mail } from "./mail.ts";
import type { Message } from "./message.ts";
import { shown } from "./parse-mail.ts";
import type { Entry } from "./search-index.ts";
import type { SearchText } from "./search-text.ts";
import { textOf } from "./search-words.ts";
import { bodyOf, valuesOf } from "./sent-text.ts";

const longestText = 65_536;
const shownFields = ["from", "subject", "to", "cc", "bcc", "reply-to"];
/** Lines that nobody searches for, each a word of its own: encoded attachments. */
const encodedLines = /^[A-Za-z0-9+/=]{40,}(?=\r?$)/gm;

/** A message as the search index takes it. */
export function findable(message: Message, mail: Mail): { readonly entry: Entry; readonly text: SearchText } {
  const { raw, mailFrom } = message;
  const recipients = message.recipients.map(({ address }) => address);
  const sender = senderOf(mail);
  const head = [...shownFields.map((name) => shown(fieldOf(mail, name))), mailFrom].join(" ").slice(0, longestText);
  const room = longestText - head.length;
  const attached = mail.parts.filter(({ kind }) => kind === "attachment");
  const short = mail.asSent !== undefined && mail.asSent.length <= room ? mail.asSent : undefined;
  const sent = short === undefined ? sentBody(raw) : ({ how: "all", text: "same" } as const);
  return {
    entry: {
      id: message.id,
      arrival: message.arrival,
      receivedAt: message.receivedAt,
      size: message.size,
      attachments: attached.length,
      inline: mail.parts.filter(({ kind }) => kind === "inline").length,
      sent: sent.how,
    },
    text: {
      fields: {
        from: fieldText(sender === undefined ? [] : [sender]),
        to: fieldText(mail.to),
        cc: fieldText(mail.cc),
        bcc: fieldText(blindCopies(mail, recipients)),
        replyTo: fieldText(mail.replyTo),
        sentTo: joined(recipients, fieldOf(mail, "to")),
        sentFrom: joined([mailFrom], fieldOf(mail, "from")),
        subject: mail.subject.toLowerCase(),
        messageId: mail.messageId.toLowerCase(),
      },
      values: textOf(valuesOf(raw)),
      head: textOf(head),
      body: short !== undefined && isAscii(short) ? short : textOf(bodyText(mail).slice(0, room)),
      names: textOf(attached.map(({ filename }) => filename).join(" ")),
      sent: sent.text,
    },
  };
}

function bodyText(mail: Mail): string {
  return mail.html === "" ? mail.text : textWithAddresses(mail.html);
}

function sentBody(raw: Buffer): { readonly how: Entry["sent"]; readonly text: SearchText["sent"] } {
  if (raw.length > 2 * longestText) return { how: "nothing", text: textOf("") };
  const body = bodyOf(raw);
  const legible = body.replaceAll(encodedLines, "");
  return { how: legible.length === body.length ? "all" : "legible", text: textOf(legible) };
}

function fieldText(addresses: readonly Address[]): string {
  return addresses.map(({ name, address }) => `${name} ${address}`.toLowerCase()).join(" ");
}

/** Each value on a line of its own, so that no search matches across two. */
function joined(addresses: readonly string[], field: string | undefined): string {
  return [...addresses, field ?? ""].join("\n").toLowerCase();
}
