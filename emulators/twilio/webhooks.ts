/** How Twilio's own requests to applications are signed and retried. */
import { createHash } from "node:crypto";
import type { Outcome, WebhookScheme } from "../kernel/webhook.ts";
import { answerCallDocument } from "./api/call-script.ts";
import { documentConcluded } from "./api/documents.ts";
import { answerMessage } from "./api/message-replies.ts";
import { type Failure, readOverrides, shouldRetry } from "./domain/connection-overrides.ts";
import { signature, signedContent, withBodyHash } from "./domain/signature.ts";
import type { TwilioState } from "./store.ts";
import { schemeName } from "./wire/callback.ts";

// Not published; long enough to be seen apart in a journal, short enough not to be waited for.
const retryAfterMs = 1_000;

export const twilioScheme: WebhookScheme<TwilioState> = {
  name: schemeName,
  headers: { "User-Agent": "TwilioProxy/1.1", Accept: "*/*" },
  secretOf: (runtime, accountSid) => runtime.state.account(accountSid)?.authToken,
  sign({ id, method, url, body, contentType }, authToken) {
    const token = { "I-Twilio-Idempotency-Token": idempotencyToken(id) };
    if (contentType.startsWith("application/json") && method !== "GET") {
      const hashed = withBodyHash(url, body);
      return { url: hashed, headers: { "X-Twilio-Signature": signature(authToken, hashed, []), ...token } };
    }
    const form = method === "GET" ? [] : new URLSearchParams(body.toString("utf8"));
    return { headers: { "X-Twilio-Signature": signature(authToken, url, form), ...token } };
  },
  explain({ method, url, header, contentType, body }) {
    const json = contentType.startsWith("application/json") && method !== "GET";
    const form = json || method === "GET" ? [] : new URLSearchParams(body.toString("utf8"));
    const received = header("x-twilio-signature");
    return {
      header: "X-Twilio-Signature",
      recipe: json
        ? "the URL, whose bodySHA256 is the hex SHA-256 of the raw body"
        : "the URL, then each form parameter's name and value in the order of the names",
      content: Buffer.from(signedContent(url, form)),
      algorithm: "HMAC-SHA1, base64",
      key: "the account's auth token",
      signatureOf: (authToken) => signature(authToken, url, form),
      received: received === undefined ? [] : [received],
    };
  },
  address: (url) => {
    const hash = url.indexOf("#");
    return hash < 0 ? url : url.slice(0, hash);
  },
  timeouts(url) {
    const { connectMs, readMs, totalMs } = readOverrides(url);
    return { connectMs, totalMs: Math.min(totalMs, connectMs + readMs) };
  },
  concluded: (runtime, conclusion) =>
    documentConcluded(runtime, conclusion, { message: answerMessage, call: answerCallDocument }),
  retryDelay(url, attempts, outcome) {
    const failure = failureOf(outcome);
    return failure && shouldRetry(readOverrides(url), attempts, failure) ? retryAfterMs : undefined;
  },
};

/** A UUID that stays the same for every try of one delivery. */
function idempotencyToken(id: string): string {
  const hex = createHash("sha256").update(`twilio.idempotency\u0000${id}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

function failureOf(outcome: Outcome): Failure | undefined {
  switch (outcome.tag) {
    case "delivered":
      return undefined;
    case "answered":
      return { tag: "status", status: outcome.status };
    case "failed":
      return { tag: outcome.reason === "timeout" ? "read" : "connect" };
  }
}
