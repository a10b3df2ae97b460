/** Signatures that any endpoint can ask for, whatever the provider. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Unsigned } from "./outbox.ts";

/**
 * Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, the key
 * being the base64 after `whsec_`. During a rotation every secret signs, newest first.
 */
export function standardWebhooks(request: Unsigned, secrets: readonly string[]): Record<string, string> {
  const timestamp = Math.floor(request.at / 1000);
  const signed = (secret: string) =>
    `v1,${createHmac("sha256", standardKey(secret)).update(`${request.id}.${timestamp}.`).update(request.body).digest("base64")}`;
  return {
    "webhook-id": request.id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": secrets.map(signed).join(" "),
  };
}

/** Hex HMAC-SHA256 of the raw body, the key being the secret's text as it is: what many home-made validators check. */
export function hexSha256(request: Unsigned, secret: string): Record<string, string> {
  return {
    "X-Signature": createHmac("sha256", secret).update(request.body).digest("hex"),
    "X-Timestamp": new Date(request.at).toISOString(),
  };
}

export function isStandardSecret(secret: string): boolean {
  if (!secret.startsWith("whsec_")) return false;
  const key = standardKey(secret);
  return key.length >= 24 && key.length <= 64;
}

function standardKey(secret: string): Buffer {
  return Buffer.from(secret.replace(/^whsec_/, ""), "base64");
}

/** Compares without telling by its duration where the texts differ. */
export function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
