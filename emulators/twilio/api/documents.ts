/**
 * Asks an application what to do with a message or call, and reads its answer: TwiML, plain text, audio, or what is wrong with
 * it. The request is a signed callback like any other; the answer is acted on in the write that records it.
 * https://www.twilio.com/docs/usage/webhooks/webhooks-faq
 */
import type { Conclusion, Outcome } from "../../kernel/webhook.ts";
import { parseTwiml, type TwimlElement, verb } from "../domain/twiml.ts";
import { kind } from "../store-resources.ts";
import { twilioCallback } from "../wire/callback.ts";
import type { TwilioRuntime } from "./call.ts";

export interface DocumentRequest {
  readonly purpose: "message" | "call";
  /** The message or call it is about: one document at a time. */
  readonly subject: string;
  readonly accountSid: string;
  readonly url: string;
  readonly method: string;
  readonly fallbackUrl: string | null;
  readonly fallbackMethod: string;
  readonly parameters: readonly (readonly [string, string])[];
  /** How many documents led here one by one; a loop ends at the hundredth. */
  readonly hops: number;
}

interface Asked extends DocumentRequest {
  readonly sentUrl: string;
  readonly at: number;
  readonly redirects: number;
  readonly isFallback: boolean;
}

export interface Answer {
  readonly request: DocumentRequest;
  readonly at: number;
  /** What relative URLs of the document are resolved against. */
  readonly base: string;
  /** Undefined when neither the URL nor its fallback had a usable answer. */
  readonly verbs: readonly TwimlElement[] | undefined;
}

export type DocumentHandlers = Readonly<
  Record<DocumentRequest["purpose"], (runtime: TwilioRuntime, answer: Answer) => void>
>;

const asked = kind<Asked>("document", "XD");
const mostRedirects = 10;
export const mostHops = 100;
const largestBody = 64 * 1024;

/** Inside a write. */
export function askDocument(runtime: TwilioRuntime, request: DocumentRequest, at: number): void {
  ask(runtime, { ...request, sentUrl: "", at, redirects: 0, isFallback: false });
}

/** Inside a write: whatever comes back for this message or call no longer matters. */
export function forgetDocument(runtime: TwilioRuntime, subject: string): void {
  const open = runtime.state.resourceByKey(asked, subject);
  if (open) runtime.state.removeResource(asked, open.sid);
}

function ask(runtime: TwilioRuntime, request: Asked): void {
  const { purpose, subject, accountSid, at, url } = request;
  forgetDocument(runtime, subject);
  const callback = twilioCallback({
    type: `${purpose}.twiml`,
    subject,
    accountSid,
    occurredAt: at,
    method: request.method === "GET" ? "GET" : "POST",
    url,
    // A redirect is followed as it is; what was posted is not sent again.
    parameters: request.redirects > 0 ? [] : request.parameters,
  });
  runtime.state.addResource(asked, {
    sid: `${asked.prefix}${runtime.ids.derive("twilio.document", [subject, url, at]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: subject,
    createdAt: at,
    updatedAt: at,
    data: { ...request, sentUrl: callback.url },
  });
  runtime.outbox.callback(callback);
}

/** A delivery of the Twilio scheme is over; it matters here when a document was asked for with it. */
export function documentConcluded(runtime: TwilioRuntime, conclusion: Conclusion, handlers: DocumentHandlers): void {
  if (!conclusion.type.endsWith(".twiml")) return;
  const open = runtime.state.resourceByKey(asked, conclusion.subject);
  if (open?.data.sentUrl !== conclusion.url || open.data.at !== conclusion.occurredAt) return;
  runtime.state.removeResource(asked, open.sid);
  const request = open.data;
  const { at } = conclusion;
  const redirected = redirection(request, conclusion);
  if (redirected !== undefined && request.redirects < mostRedirects) {
    const url = new URL(redirected, request.url).href;
    ask(runtime, { ...request, url, method: "GET", at, redirects: request.redirects + 1 });
    return;
  }
  const read = readAnswer(conclusion, redirected !== undefined, request.purpose);
  if (read.tag === "verbs") {
    handlers[request.purpose](runtime, { request, at, base: request.url, verbs: read.verbs });
    return;
  }
  const { code, reason } = read;
  runtime.journal.append("change", request.subject, { resource: "alert", errorCode: code, url: request.url, reason });
  if (request.fallbackUrl && !request.isFallback) {
    const parameters: DocumentRequest["parameters"] = [
      ...request.parameters,
      ["ErrorCode", String(code)],
      ["ErrorUrl", request.url],
    ];
    const { fallbackUrl: url, fallbackMethod: method } = request;
    ask(runtime, { ...request, url, method, parameters, at, redirects: 0, isFallback: true });
    return;
  }
  handlers[request.purpose](runtime, { request, at, base: request.url, verbs: undefined });
}

function redirection({ url }: Asked, { outcome, headers }: Conclusion): string | undefined {
  if (outcome.tag !== "answered" || outcome.status < 300 || outcome.status >= 400) return undefined;
  const { location } = headers;
  return typeof location === "string" && URL.canParse(location, url) ? location : undefined;
}

type Read =
  | { readonly tag: "verbs"; readonly verbs: readonly TwimlElement[] }
  | { readonly tag: "problem"; readonly code: number; readonly reason: string };

function readAnswer({ outcome, headers, body, bodyBytes }: Conclusion, endless: boolean, purpose: string): Read {
  const problem = (code: number, reason: string): Read => ({ tag: "problem", code, reason });
  if (endless) return problem(11_215, "too many redirects");
  if (outcome.tag === "failed") return problem(failureCodes[outcome.reason], outcome.detail);
  if (outcome.tag === "answered") return problem(11_200, `HTTP ${outcome.status}`);
  if (bodyBytes > largestBody) return problem(11_750, `${bodyBytes} bytes are more than 64 KiB`);
  const text = body.toString("utf8");
  const type =
    String(headers["content-type"] ?? "")
      .split(";", 1)[0]
      ?.trim()
      .toLowerCase() ?? "";
  if (/^audio\//.test(type)) return { tag: "verbs", verbs: [verb("Play", "")] };
  if (text.trim() === "") return { tag: "verbs", verbs: [] };
  if (type === "text/plain")
    return { tag: "verbs", verbs: [verb(purpose === "call" ? "Say" : "Message", text.trim())] };
  if (!["text/xml", "application/xml", "text/html"].includes(type)) return problem(12_300, `content type ${type}`);
  const parsed = parseTwiml(text);
  return parsed.tag === "malformed" ? problem(12_100, parsed.reason) : { tag: "verbs", verbs: parsed.verbs };
}

const failureCodes: Readonly<Record<Extract<Outcome, { tag: "failed" }>["reason"], number>> = {
  connect: 11_205,
  timeout: 11_200,
  reset: 11_206,
  dns: 11_210,
  tls: 11_220,
  egress: 11_200,
};

/** An unknown verb is no error to a caller: the schema warning is written down. */
export function warn(runtime: TwilioRuntime, subject: string, reason: string, errorCode = 12_200): void {
  runtime.journal.append("change", subject, { resource: "alert", errorCode, reason });
}
