/** ETag and 304 for answers that are asked for again and again: lists of the control API and of mailboxes. */
import { createHash } from "node:crypto";
import { answer, answeredElsewhere, type Exchange, inOnePiece } from "../exchange.ts";
import type { Gate } from "../gate.ts";

/** Strong: the same tag means the same bytes (RFC 9110 8.8.3). */
export function etagOf(body: string | Uint8Array): string {
  return `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
}

/**
 * Tags an answer of 200 to GET or HEAD, or turns it into 304 when the client has it already. Anything else, and everything
 * while `enabled` (FEATURE_CACHE_RESPONSES) is false, stays as it is.
 */
export function withEtag(exchange: Exchange, response: Response, enabled = true): Response {
  const { answered, method } = exchange;
  if (!enabled || answered?.status !== 200 || (method !== "GET" && method !== "HEAD")) return response;
  const body = inOnePiece(answered.body);
  if (body === null || body instanceof ReadableStream) return response;
  const etag = etagOf(body);
  // `no-cache` asks caches to come back with the tag; without it a browser may guess a lifetime.
  const headers: Record<string, string> = { "cache-control": "no-cache", ...answered.headers, etag };
  if (!covers(exchange.header("if-none-match"), etag)) return answer(exchange, 200, body, headers);
  const { "content-type": _, ...rest } = headers;
  return answer(exchange, 304, null, rest);
}

/** `*`, or a list of tags; compared weakly as RFC 9110 13.1.2 asks for If-None-Match. */
function covers(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.split(",").some((tag) => ["*", etag].includes(tag.trim().replace(/^W\//, "")));
}

/** What has no use for a tag: probes, whose answers hold latencies. */
const untagged = /^\/(health|api\/v1\/health|_backlot\/(health|live|ready))($|\?)/;

/** MailHog names its JSON text/json. */
const json = /^(application|text)\/json\b/;

/** Tags the JSON answers of the control API and of mailboxes. */
export function createEtagGate(enabled: boolean): Gate {
  return {
    async around(exchange, _routed, run) {
      await run();
      const { answered } = exchange;
      if (!enabled || !answered || untagged.test(exchange.target)) return;
      if (json.test(answered.headers["content-type"] ?? "")) withEtag(exchange, answeredElsewhere);
    },
  };
}
