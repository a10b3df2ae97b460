import { headerSection, isAscii } from "./headers.ts";
import { readHeaders } from "./mailhog-mime.ts";

/** A message as it was sent, undecoded: what MailHog's `containing` looks at. */
export function sentHas(raw: Buffer, wanted: string): boolean {
  const has = (text: string) => text.toLowerCase().includes(wanted);
  return valuesOf(raw).split("\n").some(has) || has(bodyOf(raw));
}

/** The values of the header, each on a line of its own. */
export function valuesOf(raw: Buffer): string {
  const values = Object.values(readHeaders(headerSection(raw)))
    .flat()
    .join("\n");
  return isAscii(values) ? values : Buffer.from(values, "latin1").toString("utf8");
}

export function bodyOf(raw: Buffer): string {
  const end = raw.indexOf("\r\n\r\n");
  return raw.toString("utf8", end === -1 ? 0 : end + 4);
}
