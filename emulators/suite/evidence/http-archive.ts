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

/** An exchange without credentials: replaced once, for both forms. */
export interface CleanExchange {
  readonly entry: Shown;
  readonly url: string;
  readonly requestHeaders: readonly Header[];
  readonly responseHeaders: readonly Header[];
  readonly sent: Body;
  readonly got: Body;
}

interface Body {
  readonly text: string;
  readonly base64: boolean;
}

export function cleanExchange(entry: Shown, redactor: Redactor): CleanExchange {
  const scheme = entry.secure === true ? "https" : "http";
  const headers = (from: unknown) =>
    headersOf(from).map(({ name, value }) => ({ name, value: redactor.header(name, value) }));
  return {
    entry,
    url: redactor.text(`${scheme}://${textOf(entry.host) || "localhost"}${textOf(entry.target) || "/"}`),
    requestHeaders: headers(entry.requestHeaders),
    responseHeaders: headers(entry.responseHeaders),
    sent: bodyOf(entry, "requestBody", redactor),
    got: bodyOf(entry, "responseBody", redactor),
  };
}

/** Without its number, which follows from the order of the keys. */
export function normalEntry(exchange: CleanExchange, options: ArchiveOptions): { key: string; har: HarEntry } {
  const step = textOf(exchange.requestHeaders.find(({ name }) => name === stepHeader)?.value);
  const har = harEntry(normalForm(exchange, options.places), options, 0);
  return { har, key: [har.startedDateTime, step, har.request.method, har.request.url, bodyKey(har)].join("\n") };
}

/** Real times and every header; credentials are replaced here too. */
export function rawEntry(exchange: CleanExchange, options: ArchiveOptions): HarEntry {
  const { wallMs } = exchange.entry;
  return harEntry(exchange, options, typeof wallMs === "number" ? wallMs : 0);
}

/** What stands before the entries; `]}}` ends them. */
export const archiveHead = (version: string): string =>
  `{"log":{"version":"1.2","creator":${JSON.stringify({ name: "Backlot", version })},"entries":[`;

const bodyKey = ({ request, response }: HarEntry) =>
  `${sha256(request.postData?.text ?? "")} ${response.status} ${sha256(response.content.text ?? "")}`;

function harEntry(exchange: CleanExchange, options: ArchiveOptions, took: number): HarEntry {
  const { entry, url, requestHeaders, responseHeaders, sent, got } = exchange;
  const status = typeof entry.status === "number" ? entry.status : 0;
  const [sentBytes, gotBytes] = [byteLength(sent), byteLength(got)];
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
      queryString: url.includes("?")
        ? [...(URL.parse(url)?.searchParams ?? [])].map(([name, value]) => ({ name, value }))
        : [],
      ...(sentBytes === 0
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
      bodySize: sentBytes,
    },
    response: {
      status,
      statusText: STATUS_CODES[status] ?? "",
      httpVersion: "HTTP/1.1",
      cookies: [],
      headers: responseHeaders,
      content: {
        size: gotBytes,
        mimeType: typeIn(responseHeaders) ?? "",
        ...(gotBytes === 0 ? {} : { text: got.text }),
        ...(got.base64 ? { encoding: "base64" } : {}),
      },
      redirectURL: responseHeaders.find(({ name }) => name.toLowerCase() === "location")?.value ?? "",
      headersSize: -1,
      bodySize: status === 304 ? 0 : gotBytes,
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

const byteLength = ({ text, base64 }: Body) =>
  base64 ? Buffer.byteLength(text, "base64") : Buffer.byteLength(text, "utf8");

/** Names for addresses, request ids of noughts, headers in order and without those that say nothing of the exchange. */
function normalForm(exchange: CleanExchange, places: (text: string) => string): CleanExchange {
  const clean = withoutRequestId(textOf(exchange.entry.subject), places);
  const headers = (from: readonly Header[]) =>
    from
      .map(({ name, value }) => ({ name: name.toLowerCase(), value }))
      .filter(({ name }) => !volatileHeaders.has(name))
      .map(({ name, value }) => ({ name, value: clean(value) }))
      .sort((left, right) => compareText(left.name, right.name) || compareText(left.value, right.value));
  const body = (from: Body) => (from.base64 ? from : { text: clean(from.text), base64: false });
  return {
    entry: exchange.entry,
    url: clean(exchange.url),
    requestHeaders: headers(exchange.requestHeaders),
    responseHeaders: headers(exchange.responseHeaders),
    sent: body(exchange.sent),
    got: body(exchange.got),
  };
}

/** Request ids count requests, so they follow the order of arrival: in normal form all are nought. */
function withoutRequestId(id: string, places: (text: string) => string): (text: string) => string {
  if (!/^[0-9a-f]{32}$/.test(id)) return places;
  const beginning = id.slice(0, 8);
  return (text) => {
    const placed = places(text);
    let [out, done] = ["", 0];
    for (let at = placed.indexOf(beginning); at >= 0; at = placed.indexOf(beginning, at + 1)) {
      const nought = noughtFor(id, placed, at);
      if (nought === undefined || at < done) continue;
      out += placed.slice(done, at) + nought;
      done = at + nought.length;
    }
    return done === 0 ? placed : out + placed.slice(done);
  };
}

const [noughts, noughtUuid] = ["0".repeat(32), "00000000-0000-4000-8000-000000000000"];

/** What stands for the id that begins there, as it is or as a UUID; version and variant of that may overwrite two digits. */
function noughtFor(id: string, text: string, at: number): string | undefined {
  if (text.startsWith(id, at)) return noughts;
  const digits = (from: number, to: number, dashes: number) => text.startsWith(id.slice(from, to), at + from + dashes);
  const dashed = [8, 13, 18, 23].every((dash) => text[at + dash] === "-");
  const same = digits(8, 12, 1) && digits(13, 16, 2) && digits(17, 20, 3) && digits(20, 32, 4);
  return dashed && same ? noughtUuid : undefined;
}

function headersOf(headers: unknown): readonly Header[] {
  if (typeof headers !== "object" || headers === null) return [];
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((one) => ({ name, value: String(one) })),
  );
}

function bodyOf(entry: Shown, name: string, redactor: Redactor): Body {
  const encoded = entry[`${name}Base64`];
  if (typeof encoded === "string")
    return { text: redactor.bytes(Buffer.from(encoded, "base64")).toString("base64"), base64: true };
  return { text: redactor.text(textOf(entry[name])), base64: false };
}

/** One exchange as it would be seen on the wire. */
export function wireText({ request, response }: HarEntry): string {
  const lines = (headers: readonly Header[]) => headers.map(({ name, value }) => `${name}: ${value}\n`).join("");
  const { pathname, search, host } = new URL(request.url);
  return [
    `${request.method} ${pathname}${search} HTTP/1.1\nhost: ${host}\n`,
    lines(request.headers.filter(({ name }) => name !== "host")),
    `\n${request.postData ? `${request.postData.text}\n\n` : ""}`,
    `HTTP/1.1 ${response.status} ${response.statusText}\n`,
    lines(response.headers),
    `\n${response.content.text ?? ""}\n`,
  ].join("");
}
