import type { Text } from "./search-words.ts";

export const fieldNames = ["from", "to", "cc", "bcc", "replyTo", "sentTo", "sentFrom", "subject", "messageId"] as const;
export type FieldName = (typeof fieldNames)[number];

/** What a message is found by. */
export interface SearchText {
  /** Addresses and the like in lower case, each looked at by itself; `sentTo` and `sentFrom` are what MailHog looks at. */
  readonly fields: Readonly<Record<FieldName, string>>;
  /** Mailpit looks at `head`, `body` and `names` in a row, MailHog at `values` and at what was sent. */
  readonly values: Text;
  readonly head: Text;
  readonly body: Text;
  readonly names: Text;
  /** The body as it was sent; `same` when its words are those of `body`. */
  readonly sent: Text | "same";
}

/** A text that is part of one of some fields. */
export interface Fields {
  readonly names: readonly FieldName[];
  readonly wanted: string;
}

/** Which text of a message: as it is read or as it was sent. */
export type Region = "read" | "sent";

/** Words that follow each other, as `Needle` has them; `spaced`: with one space between them and nothing else. */
export interface Phrase {
  readonly patterns: readonly string[];
  readonly region: Region;
  readonly spaced: boolean;
}
