/** The requests of the journal as an HTTP archive, version 1.2 (http://www.softwareishard.com/blog/har-12-spec/). */
import { STATUS_CODES } from "node:http";

/** An entry of kind `request` as journal-view shows it, here or at another emulator. */
type Shown = Readonly<Record<string, unknown>>;

export function archive(entries: readonly Shown[], version: string): Record<string, unknown> {
  return {
    log: {
      version: "1.2",
      creator: { name: "Backlot", version },
      entries: entries.filter((entry) => entry.kind === "request").map(harEntry),
    },
  };
}

function harEntry(entry: Shown): Record<string, unknown> {
  const took = typeof entry.wallMs === "number" ? entry.wallMs : 0;
  return {
    startedDateTime: entry.at,
    time: took,
    request: harRequest(entry),
    response: harResponse(entry),
    cache: {},
    timings: { send: 0, wait: took, receive: 0 },
    comment: [entry.emulator, entry.subject, entry.operation].filter((part) => part !== undefined).join(" "),
  };
}

function harRequest(entry: Shown): Record<string, unknown> {
  const headers = headersOf(entry.requestHeaders);
  const target = String(entry.target ?? "/");
  const query = target.includes("?") ? target.slice(target.indexOf("?") + 1) : "";
  const body = bodyOf(entry, "requestBody");
  return {
    method: entry.method,
    url: `${entry.secure === true ? "https" : "http"}://${entry.host || "localhost"}${target}`,
    httpVersion: "HTTP/1.1",
    cookies: [],
    headers,
    queryString: [...new URLSearchParams(query)].map(([name, value]) => ({ name, value })),
    ...(body.size === 0
      ? {}
      : {
          postData: {
            mimeType: headerOf(headers, "content-type") ?? "application/octet-stream",
            params: [],
            text: body.text,
            ...(body.base64 ? { comment: "base64: the body is not text" } : {}),
          },
        }),
    headersSize: -1,
    bodySize: body.size,
  };
}

function harResponse(entry: Shown): Record<string, unknown> {
  const headers = headersOf(entry.responseHeaders);
  const status = typeof entry.status === "number" ? entry.status : 0;
  const body = bodyOf(entry, "responseBody");
  return {
    status,
    statusText: STATUS_CODES[status] ?? "",
    httpVersion: "HTTP/1.1",
    cookies: [],
    headers,
    content: {
      size: body.size,
      mimeType: headerOf(headers, "content-type") ?? "",
      ...(body.size === 0 ? {} : { text: body.text }),
      ...(body.base64 ? { encoding: "base64" } : {}),
    },
    redirectURL: headerOf(headers, "location") ?? "",
    headersSize: -1,
    bodySize: body.size,
  };
}

interface HarHeader {
  readonly name: string;
  readonly value: string;
}

function headersOf(headers: unknown): HarHeader[] {
  if (typeof headers !== "object" || headers === null) return [];
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => ({ name, value: String(one) })),
  );
}

const headerOf = (headers: readonly HarHeader[], name: string) =>
  headers.find((header) => header.name.toLowerCase() === name)?.value;

/** What was kept of a body; `size` is its full length. */
function bodyOf(entry: Shown, name: string): { text: string; size: number; base64: boolean } {
  const [text, base64, full] = [entry[name], entry[`${name}Base64`], entry[`${name}Bytes`]];
  const kept =
    typeof base64 === "string" ? Buffer.from(base64, "base64").length : Buffer.byteLength(String(text ?? ""));
  return {
    text: String(base64 ?? text ?? ""),
    size: typeof full === "number" ? full : kept,
    base64: typeof base64 === "string",
  };
}
