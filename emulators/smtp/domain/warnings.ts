import { headerSection, headerValue } from "./headers.ts";

export type Warning =
  | "bare_lf"
  | "bare_cr"
  | "nul"
  | "long_line"
  | "missing_date"
  | "missing_from"
  | "missing_message_id";

const lineFeed = 0x0a;
const carriageReturn = 0x0d;

/** What RFC 5321 and 5322 forbid or miss in a message that was stored as it came. */
export function warningsOf(raw: Buffer): readonly Warning[] {
  const found: Warning[] = [];
  const lines = lineFaults(raw);
  if (lines.bareLineFeed) found.push("bare_lf");
  if (lines.bareReturn) found.push("bare_cr");
  if (raw.includes(0)) found.push("nul");
  if (lines.long) found.push("long_line");
  const section = headerSection(raw);
  if (headerValue(section, "date") === undefined) found.push("missing_date");
  if (headerValue(section, "from") === undefined) found.push("missing_from");
  if (headerValue(section, "message-id") === undefined) found.push("missing_message_id");
  return found;
}

function lineFaults(raw: Buffer): { bareLineFeed: boolean; bareReturn: boolean; long: boolean } {
  let bareLineFeed = false;
  let long = false;
  let start = 0;
  for (let end = raw.indexOf(lineFeed); end !== -1; end = raw.indexOf(lineFeed, start)) {
    const crlf = end > 0 && raw[end - 1] === carriageReturn;
    if (!crlf) bareLineFeed = true;
    // RFC 5322 2.1.1: at most 998 characters without the CRLF.
    if (end - (crlf ? 1 : 0) - start > 998) long = true;
    start = end + 1;
  }
  if (raw.length - start > 998) long = true;
  let bareReturn = false;
  for (let at = raw.indexOf(carriageReturn); at !== -1 && !bareReturn; at = raw.indexOf(carriageReturn, at + 1)) {
    bareReturn = raw[at + 1] !== lineFeed;
  }
  return { bareLineFeed, bareReturn, long };
}
