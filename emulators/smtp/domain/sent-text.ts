import { headerSection } from "./headers.ts";
import { readHeaders } from "./mailhog-mime.ts";

/** A message as it was sent, undecoded and in lower case: what MailHog's `containing` looks at. */
export interface SentText {
  /** The header's values, each on a line of its own. */
  readonly values: string;
  /** Undefined when it is too long to be looked at twice. */
  readonly body: string | undefined;
}

const longestBody = 65_536;

export function sentTextOf(raw: Buffer): SentText {
  const values = Object.values(readHeaders(headerSection(raw)))
    .flat()
    .join("\n");
  return {
    values: Buffer.from(values, "latin1").toString("utf8").toLowerCase(),
    body: raw.length - bodyStart(raw) <= longestBody ? bodyOf(raw) : undefined,
  };
}

/** The body as MailHog searches it. */
export function bodyOf(raw: Buffer): string {
  return raw.toString("utf8", bodyStart(raw)).toLowerCase();
}

/** Whether the body was sent as it is read: one text, neither encoded nor in parts. */
export function readsAsSent(body: string, text: string): boolean {
  const lines = body.replaceAll("\r\n", "\n");
  return text.toLowerCase() === (lines.endsWith("\n") ? lines.slice(0, -1) : lines);
}

function bodyStart(raw: Buffer): number {
  const end = raw.indexOf("\r\n\r\n");
  return end === -1 ? 0 : end + 4;
}
