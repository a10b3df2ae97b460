import type { Instant } from "../../kernel/clock.ts";
import type { Outcome } from "./outcome.ts";
import type { Dialogue } from "./transcript.ts";

/** ESMTP parameters of MAIL or RCPT, upper-case keys; a keyword without a value is `true`. */
export type Parameters = Readonly<Record<string, string | true>>;

export interface Recipient {
  readonly address: string;
  readonly parameters: Parameters | undefined;
  /** What becomes of the mail there; undefined when it is delivered. */
  readonly outcome?: Outcome | undefined;
}

/** Who sent and to whom, as the SMTP session said it: the header is another matter. */
export interface Envelope {
  /** Empty for the null sender. */
  readonly mailFrom: string;
  readonly parameters: Parameters | undefined;
  readonly recipients: readonly Recipient[];
  /** Argument of HELO or EHLO in the client's spelling. */
  readonly helo: string;
  readonly mechanism: string | undefined;
  readonly username: string | undefined;
  readonly secure: boolean;
}

export interface MessageSummary extends Envelope {
  /** 22 characters of 0-9A-Za-z. */
  readonly id: string;
  readonly arrival: number;
  readonly receivedAt: Instant;
  /** The client went away before the end of the data: nothing was accepted. */
  readonly truncated: boolean;
  /** Bytes after dot-unstuffing. */
  readonly size: number;
  /** Name of the inbox that the sender asked for; undefined when it asked for none. */
  readonly inbox: string | undefined;
}

export interface Message extends MessageSummary {
  /** The bytes as they were sent, after dot-unstuffing; shorter than `size` when there are too many to hold. */
  readonly raw: Buffer;
}

/** The bytes of a message on its way into the store. */
export interface Content {
  /** All of it, or the beginning when the pieces are in the store already. */
  readonly raw: Buffer;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Number of the pieces in the store; undefined when `raw` is all. */
  readonly spool: number | undefined;
}

/** A message to be kept. */
export interface Draft extends Envelope {
  readonly id: string;
  readonly receivedAt: Instant;
  readonly truncated: boolean;
  readonly remote: string;
  readonly transcript: Dialogue;
  readonly content: Content;
  readonly inbox: string | undefined;
  readonly tags: readonly string[];
}

export type AuthMode = "any" | "required" | "users";

export interface ServerProfile {
  readonly name: string;
  readonly auth: AuthMode;
  readonly maxRecipients: number;
  /** Most messages kept; the oldest make room and are counted. 0 keeps all. */
  readonly retention: number;
  /** Where recipients such as `bounce+550@` say what happens to their mail; `*.` for any name below. */
  readonly magicDomains: readonly string[];
}

/** A server that no seed describes. RFC 5321 4.5.3.1.8 asks for at least 100 recipients. */
export const defaultProfile: ServerProfile = {
  name: "smtp.backlot.test",
  auth: "any",
  maxRecipients: 1000,
  retention: 0,
  magicDomains: ["*.magic.test"],
};
