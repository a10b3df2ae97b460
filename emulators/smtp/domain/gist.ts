import { textOfHtml } from "./html-text.ts";
import { type Address, blindCopies, fieldOf, type Mail } from "./mail.ts";
import { shown } from "./parse-mail.ts";

/** What a list shows of a message. */
export interface Gist {
  readonly from: Address | undefined;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  /** The header's and the envelope's. */
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  readonly messageId: string;
  readonly date: number | undefined;
  /** The beginning, of the HTML if there is any. */
  readonly snippet: string;
  /** The beginning, of the text if there is any: MailDev's. */
  readonly preview: string;
  readonly attachments: number;
  /** Attachments and all other parts that are no text. */
  readonly parts: number;
}

export function gistOf(mail: Mail, recipients: readonly string[]): Gist {
  return {
    from: senderOf(mail),
    to: mail.to,
    cc: mail.cc,
    bcc: blindCopies(mail, recipients),
    replyTo: mail.replyTo,
    subject: mail.subject,
    messageId: mail.messageId,
    date: mail.date,
    snippet: snippetOf(mail),
    preview: previewOf(mail),
    attachments: mail.parts.filter(({ kind }) => kind === "attachment").length,
    parts: mail.parts.length,
  };
}

/** A sender that cannot be read is a name without an address. */
export function senderOf(mail: Mail): Address | undefined {
  if (mail.from !== undefined) return mail.from;
  const from = fieldOf(mail, "from");
  return from === undefined || from === "" ? undefined : { name: shown(from), address: "" };
}

const longestSnippet = 200;

/** Mailpit's (internal/tools/snippets.go): of the HTML if there is any, 200 bytes and three dots there, characters here. */
export function snippetOf(mail: Pick<Mail, "text" | "html">): string {
  const beginning = (text: string) => text.slice(0, 20_000);
  const html = mail.html.trim() === "" ? "" : textOfHtml(mail.html.slice(0, 200_000));
  const text = (mail.html.trim() === "" ? beginning(mail.text) : beginning(html))
    .replaceAll("\ufeff", " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return text.length <= longestSnippet ? text : `${text.slice(0, longestSnippet)}...`;
}

const longestPreview = 140;

function previewOf(mail: Pick<Mail, "text" | "html">): string {
  const text = mail.text === "" ? textOfHtml(mail.html.slice(0, 200_000)) : mail.text.slice(0, 20_000);
  return text.replaceAll(/\s+/g, " ").trim().slice(0, longestPreview);
}

/** As stored and as searched: lower case, without line ends and punctuation that mail clients add. */
export function cleanText(text: string): string {
  return text
    .replaceAll(/[\ufeff\0\r\n\t><",;()]/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .toLowerCase();
}
