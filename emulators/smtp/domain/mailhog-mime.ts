/**
 * MailHog's own reading of a message (github.com/mailhog/data, message.go), which is not a MIME parser: nothing is
 * decoded, a repeated header keeps its last value, a folded line is joined with its blank kept, and whatever stands
 * between two boundaries is a part, the closing `--` included. Everything here is one character per byte.
 */
export interface Content {
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly size: number;
  /** Undefined where MailHog says null. */
  readonly parts: readonly Content[] | undefined;
}

/** Multiparts deeper than this are shown unparsed; each level takes a boundary of its own to write. */
const deepest = 50;

/** A boundary of one character makes a part of every few bytes; what is beyond this many is in the raw message only. */
const mostParts = 10_000;

/** The message itself: its parts belong to the message and not to its content. */
export function readMessage(data: string): {
  readonly content: Content;
  readonly parts: readonly Content[] | undefined;
} {
  const content = readContent(data);
  return { content, parts: isMultipart(content) ? readParts(content, 0) : undefined };
}

function readContent(data: string): Content {
  const end = data.indexOf("\r\n\r\n");
  if (end === -1) return { headers: {}, body: data, size: data.length, parts: undefined };
  return { headers: readHeaders(data.slice(0, end)), body: data.slice(end + 4), size: data.length, parts: undefined };
}

export function readHeaders(section: string): Record<string, string[]> {
  const headers = new Map<string, string>();
  let last = "";
  for (const line of section.split("\r\n")) {
    const folded = line.startsWith(" ") || line.startsWith("\t");
    if (last !== "" && folded) {
      headers.set(last, (headers.get(last) ?? "") + line);
      continue;
    }
    const colon = line.indexOf(": ");
    if (colon === -1) continue;
    last = line.slice(0, colon);
    headers.set(last, line.slice(colon + 2));
  }
  return Object.fromEntries([...headers].map(([name, value]) => [name, [value]]));
}

function isMultipart(content: Content): boolean {
  return content.headers["Content-Type"]?.[0]?.startsWith("multipart/") ?? false;
}

function readParts(content: Content, depth: number): readonly Content[] {
  const boundary = boundaryOf(content.headers["Content-Type"]?.[0] ?? "");
  if (boundary === undefined || depth >= deepest) return [];
  return content.body
    .split(`--${boundary}`, mostParts)
    .filter((piece) => piece.length > 0)
    .map((piece) => {
      const part = readContent(trimLineEnds(piece));
      return isMultipart(part) ? { ...part, parts: readParts(part, depth + 1) } : part;
    });
}

function trimLineEnds(text: string): string {
  let from = 0;
  let to = text.length;
  const lineEnd = (at: number) => text[at] === "\r" || text[at] === "\n";
  while (from < to && lineEnd(from)) from += 1;
  while (to > from && lineEnd(to - 1)) to -= 1;
  return text.slice(from, to);
}

/** The boundary parameter of a media type; undefined when there is none or it is empty. */
export function boundaryOf(contentType: string): string | undefined {
  const found = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(contentType);
  const value = found?.[1]?.replaceAll(/\\(.)/g, "$1") ?? found?.[2];
  return value === "" ? undefined : value;
}
