/** Signatures that any endpoint can ask for, whatever the provider. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { Unsigned } from "./webhook.ts";

/**
 * Standard Webhooks 1.0.0 (https://www.standardwebhooks.com): HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, the key
 * being the base64 after `whsec_`. During a rotation every secret signs, newest first.
 */
function standardWebhooks(request: Unsigned, secrets: readonly string[]): Record<string, string> {
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
function hexSha256(request: Unsigned, secret: string): Record<string, string> {
  return {
    "X-Signature": createHmac("sha256", secret).update(request.body).digest("hex"),
    "X-Timestamp": new Date(request.at).toISOString(),
  };
}

/**
 * As Stripe signs (https://docs.stripe.com/webhooks#verify-manually): hex HMAC-SHA256 over `{t}.{raw body}`, the key
 * being the whole text of the secret, `whsec_` included. During a rotation there is a `v1` of every secret.
 */
function stripe(request: Unsigned, secrets: readonly string[]): Record<string, string> {
  const timestamp = Math.floor(request.at / 1000);
  const signed = (secret: string) =>
    `v1=${createHmac("sha256", secret).update(`${timestamp}.`).update(request.body).digest("hex")}`;
  return { "Stripe-Signature": [`t=${timestamp}`, ...secrets.map(signed)].join(",") };
}

/** What an endpoint of any emulator can ask for, by name. `secrets`: the newest first. */
export const commonSchemes: Readonly<
  Record<string, (request: Unsigned, secrets: readonly string[]) => Record<string, string>>
> = {
  standard: standardWebhooks,
  "hex-sha256": (request, secrets) => hexSha256(request, secrets[0] ?? ""),
  stripe,
};

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
