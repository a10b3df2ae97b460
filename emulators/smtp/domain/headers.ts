/** Longest header that is looked at; real servers refuse far shorter ones. */
const longestHeader = 65_536;
const blankLine = Buffer.from("\r\n\r\n");
const encodedWord = /=\?([^?*\s]+)(?:\*[^?\s]*)?\?([bq])\?([^?\s]*)\?=/gi;

/** The header section as one character per byte, without the blank line that ends it. */
export function headerSection(raw: Buffer): string {
  const end = raw.indexOf(blankLine);
  return raw.toString("latin1", 0, Math.min(end === -1 ? raw.length : end, longestHeader));
}

/** First value of a header field, unfolded, one character per byte; undefined when there is none. */
export function headerValue(section: string, name: string): string | undefined {
  const found = new RegExp(`^${name}[ \\t]*:(.*(?:\\r?\\n[ \\t].*)*)`, "im").exec(section);
  return found?.[1]?.replaceAll(/\r?\n/g, "").trim();
}

/** The Subject as people read it: unfolded, encoded words decoded (RFC 2047), raw UTF-8 taken as such. */
export function subjectOf(raw: Buffer): string | undefined {
  const value = headerValue(headerSection(raw), "subject");
  return value === undefined ? undefined : decodeWords(Buffer.from(value, "latin1").toString("utf8"));
}

/** Decodes encoded words; one in an unknown charset stays as it is. */
export function decodeWords(text: string): string {
  if (!text.includes("=?")) return text;
  const closer = text.replaceAll(/(\?=)[ \t]+(?==\?)/g, "$1"); // white space between two encoded words is not part of the text
  return joinSplitCharacters(closer).replaceAll(encodedWord, (word, charset: string, kind: string, payload: string) => {
    const bytes = kind.toLowerCase() === "b" ? Buffer.from(payload, "base64") : quotedBytes(payload);
    try {
      return new TextDecoder(charset).decode(bytes);
    } catch {
      return word;
    }
  });
}

/** Some senders cut a multi-byte character in two words of the same charset and encoding: joined, both halves decode. */
function joinSplitCharacters(text: string): string {
  return text.replaceAll(/=\?(utf-8)\?q\?([^?\s]*)\?=(?:=\?\1\?q\?([^?\s]*)\?=)+/gi, (words) => {
    const payloads = [...words.matchAll(encodedWord)].map((match) => match[3] ?? "");
    return `=?utf-8?q?${payloads.join("")}?=`;
  });
}

function quotedBytes(payload: string): Buffer {
  const text = payload
    .replaceAll("_", " ")
    .replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(text, "latin1");
}

/** Whether a text with one character per byte reads the same in every charset. */
export function isAscii(text: string): boolean {
  return !/[\x80-\uffff]/.test(text);
}
