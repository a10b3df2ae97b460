/** A message as its readers see it: decoded, with its parts. What could not be read is said in `problem`. */
export interface Address {
  readonly name: string;
  readonly address: string;
}

/**
 * Mailpit counts parts that are sent as attachments and parts that are sent inline, and shows all others that have a name
 * or an id with the inline ones: an image without a disposition, the calendar of an invitation, a delivery status.
 */
export type PartKind = "attachment" | "inline" | "other";

export interface MailPart {
  /** Place in the tree of parts: `0` the message itself, `2`, `1.2`. */
  readonly partId: string;
  readonly filename: string;
  /** Lower case, without parameters. */
  readonly contentType: string;
  /** Without angle brackets; empty when there is none. */
  readonly contentId: string;
  readonly disposition: string;
  /** Lower case; empty when the part does not say. */
  readonly transferEncoding: string;
  readonly kind: PartKind;
  readonly content: Uint8Array;
}

export interface HeaderField {
  /** The sender's spelling. */
  readonly name: string;
  /** Unfolded, raw UTF-8 read as such, encoded words left. */
  readonly value: string;
}

export interface Mail {
  readonly headers: readonly HeaderField[];
  readonly from: Address | undefined;
  readonly to: readonly Address[];
  readonly cc: readonly Address[];
  readonly bcc: readonly Address[];
  readonly replyTo: readonly Address[];
  readonly subject: string;
  /** Without angle brackets. */
  readonly messageId: string;
  /** Epoch milliseconds of the Date header; undefined when there is none or it is no date. */
  readonly date: number | undefined;
  /** Empty when the message has none. */
  readonly text: string;
  readonly html: string;
  /** Whether the text is all of the message and its last line is ended: `text` and `html` leave that line end out. */
  readonly lastLineEnds: boolean;
  /** The bytes of its text, when that was sent as it is read: neither encoded nor in parts. */
  readonly asSent: Buffer | undefined;
  readonly parts: readonly MailPart[];
  /** Why not everything was read. */
  readonly problem: string | undefined;
}

/** A message of which nothing could be read, and why. */
export function unread(problem: string): Mail {
  return {
    headers: [],
    from: undefined,
    to: [],
    cc: [],
    bcc: [],
    replyTo: [],
    subject: "",
    messageId: "",
    date: undefined,
    text: "",
    html: "",
    lastLineEnds: false,
    asSent: undefined,
    parts: [],
    problem,
  };
}

/** First value of a header field in any case, encoded words left; undefined when there is none. */
export function fieldOf(mail: Pick<Mail, "headers">, name: string): string | undefined {
  const wanted = name.toLowerCase();
  for (const field of mail.headers)
    if (field.name.length === wanted.length && field.name.toLowerCase() === wanted) return field.value;
  return undefined;
}

/** Recipients of the envelope that neither To nor Cc names, after those of a Bcc header. */
export function blindCopies(mail: Pick<Mail, "to" | "cc" | "bcc">, recipients: readonly string[]): readonly Address[] {
  const named = new Set([...mail.to, ...mail.cc, ...mail.bcc].map(({ address }) => address.toLowerCase()));
  const hidden = recipients.filter((address) => !named.has(address.toLowerCase()));
  return hidden.length === 0 ? mail.bcc : [...mail.bcc, ...hidden.map((address) => ({ name: "", address }))];
}
