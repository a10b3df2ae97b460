/**
 * The requests of a service as an HTTP archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/), in two forms: as
 * seen, and normal - times virtual, names for addresses, volatile headers dropped, order by step and content.
 */
import { STATUS_CODES } from "node:http";
import { sha256 } from "./attestation.ts";
import { compareText } from "./canonical.ts";
import type { Redactor } from "./redact.ts";
import { stepHeader } from "./scenario/actions.ts";
import { type Shown, textOf } from "./shown.ts";

export interface ArchiveOptions {
  readonly service: string;
  readonly version: string;
  readonly redactor: Redactor;
  readonly places: (text: string) => string;
}

interface Header {
  readonly name: string;
  readonly value: string;
}

export interface HarEntry {
  readonly startedDateTime: string;
  readonly time: number;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: readonly Header[];
    readonly postData?: { readonly mimeType: string; readonly text: string; readonly [other: string]: unknown };
    readonly [other: string]: unknown;
  };
  readonly response: {
    readonly status: number;
    readonly statusText: string;
    readonly headers: readonly Header[];
    readonly content: { readonly size: number; readonly mimeType: string; readonly text?: string };
    readonly [other: string]: unknown;
  };
  readonly [other: string]: unknown;
}

export interface HttpArchive {
  readonly log: { readonly version: "1.2"; readonly creator: object; readonly entries: readonly HarEntry[] };
}

/** What says more about the client's version, the machine or the moment than about the exchange. */
const volatileHeaders = new Set([
  "date",
  "connection",
  "keep-alive",
  "transfer-encoding",
  "user-agent",
  "x-twilio-client",
  "accept-encoding",
  "accept-language",
  "content-length",
  "sec-fetch-mode",
  "traceparent",
  "tracestate",
  "x-amz-date",
  "amz-sdk-invocation-id",
  "amz-sdk-request",
  "twilio-concurrent-requests",
  "twilio-request-duration",
  "x-ms-client-request-id",
  "x-ms-ratelimit-remaining-subscription-reads",
  stepHeader,
]);

export function normalArchive(entries: readonly Shown[], options: ArchiveOptions): HttpArchive {
  const shown = entries.map((entry) => {
    const step = textOf(headersOf(entry.requestHeaders).find(({ name }) => name === stepHeader)?.value);
    const har = harEntry(entry, options, true);
    return { har, key: [har.startedDateTime, step, har.request.method, har.request.url, bodyKey(har)].join("\n") };
  });
  shown.sort((left, right) => compareText(left.key, right.key));
  return archive(
    shown.map(({ har }, n) => ({ ...har, _backlot: { ...(har._backlot as object), sequence: n + 1 } })),
    options,
  );
}

/** Real times and every header; credentials are replaced here too. */
export function rawArchive(entries: readonly Shown[], options: ArchiveOptions): HttpArchive {
  return archive(
    entries.map((entry) => harEntry(entry, options, false)),
    options,
  );
}

function archive(entries: readonly HarEntry[], { version }: ArchiveOptions): HttpArchive {
  return { log: { version: "1.2", creator: { name: "Backlot", version }, entries } };
}

const bodyKey = ({ request, response }: HarEntry) =>
  `${sha256(request.postData?.text ?? "")} ${response.status} ${sha256(response.content.text ?? "")}`;

function harEntry(entry: Shown, options: ArchiveOptions, normal: boolean): HarEntry {
  const { redactor } = options;
  const clean = cleaner(entry, options, normal);
  const took = normal || typeof entry.wallMs !== "number" ? 0 : entry.wallMs;
  const headers = (from: unknown) => shownHeaders(from, redactor, clean, normal);
  const [requestHeaders, responseHeaders] = [headers(entry.requestHeaders), headers(entry.responseHeaders)];
  const scheme = entry.secure === true ? "https" : "http";
  const url = clean(redactor.text(`${scheme}://${textOf(entry.host) || "localhost"}${textOf(entry.target) || "/"}`));
  const sent = bodyOf(entry, "requestBody", redactor, clean);
  const got = bodyOf(entry, "responseBody", redactor, clean);
  const status = typeof entry.status === "number" ? entry.status : 0;
  const typeIn = (list: readonly Header[]) => list.find(({ name }) => name.toLowerCase() === "content-type")?.value;
  return {
    startedDateTime: textOf(entry.at),
    time: took,
    request: {
      method: textOf(entry.method),
      url,
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: requestHeaders,
      queryString: [...(URL.parse(url)?.searchParams ?? [])].map(([name, value]) => ({ name, value })),
      ...(sent.size === 0
        ? {}
        : {
            postData: {
              mimeType: typeIn(requestHeaders) ?? "application/octet-stream",
              params: [],
              text: sent.text,
              ...(sent.base64 ? { _encoding: "base64" } : {}),
            },
          }),
      headersSize: -1,
      bodySize: sent.size,
    },
    response: {
      status,
      statusText: STATUS_CODES[status] ?? "",
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: responseHeaders,
      content: {
        size: got.size,
        mimeType: typeIn(responseHeaders) ?? "",
        ...(got.size === 0 ? {} : { text: got.text }),
        ...(got.base64 ? { encoding: "base64" } : {}),
      },
      redirectURL: responseHeaders.find(({ name }) => name.toLowerCase() === "location")?.value ?? "",
      headersSize: -1,
      bodySize: status === 304 ? 0 : got.size,
    },
    cache: {},
    timings: { send: 0, wait: took, receive: 0 },
    _backlot: {
      service: options.service,
      ...(typeof entry.operation === "string" ? { operation: entry.operation } : {}),
      ...(typeof entry.fault === "string" ? { faultRule: entry.fault } : {}),
    },
  };
}

/** Request ids count requests, so they follow the order of arrival: in normal form all are nought. */
function cleaner({ subject }: Shown, { places }: ArchiveOptions, normal: boolean): (text: string) => string {
  if (!normal) return (text) => text;
  const id = textOf(subject);
  if (!/^[0-9a-f]{32}$/.test(id)) return places;
  const uuid = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  // Version and variant of a UUID may overwrite two digits.
  const shaped = new RegExp(uuid.replace(/^(.{14}).(.{4}).(.{16})$/, "$1.$2.$3").replaceAll("-", "-"), "g");
  return (text) => places(text).replaceAll(id, "0".repeat(32)).replace(shaped, "00000000-0000-4000-8000-000000000000");
}

function shownHeaders(
  headers: unknown,
  redactor: Redactor,
  clean: (text: string) => string,
  normal: boolean,
): readonly Header[] {
  const kept = headersOf(headers).map(({ name, value }) => ({ name, value: clean(redactor.header(name, value)) }));
  if (!normal) return kept;
  return kept
    .map(({ name, value }) => ({ name: name.toLowerCase(), value }))
    .filter(({ name }) => !volatileHeaders.has(name))
    .sort((left, right) => compareText(`${left.name}\n${left.value}`, `${right.name}\n${right.value}`));
}

function headersOf(headers: unknown): readonly Header[] {
  if (typeof headers !== "object" || headers === null) return [];
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => ({ name, value: String(one) })),
  );
}

function bodyOf(
  entry: Shown,
  name: string,
  redactor: Redactor,
  clean: (text: string) => string,
): { text: string; size: number; base64: boolean } {
  const encoded = entry[`${name}Base64`];
  if (typeof encoded === "string") {
    const bytes = redactor.bytes(Buffer.from(encoded, "base64"));
    return { text: bytes.toString("base64"), size: bytes.length, base64: true };
  }
  const text = clean(redactor.text(textOf(entry[name])));
  return { text, size: Buffer.byteLength(text), base64: false };
}

/** One exchange as it would be seen on the wire. */
export function wireText({ request, response }: HarEntry): string {
  const lines = (headers: readonly Header[]) => headers.map(({ name, value }) => `${name}: ${value}\n`).join("");
  const { pathname, search, host } = new URL(request.url);
  return [
    `${request.method} ${pathname}${search} HTTP/1.1\nhost: ${host}\n`,
    lines(request.headers.filter(({ name }) => name !== "host")),
    `\n${request.postData?.text ?? ""}\n\n`,
    `HTTP/1.1 ${response.status} ${response.statusText}\n`,
    lines(response.headers),
    `\n${response.content.text ?? ""}\n`,
  ].join("");
}
