/** Signatures that any endpoint can ask for, whatever the provider. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { SentRequest, SignatureSteps, Unsigned } from "./webhook.ts";

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

/** How receivers check Standard Webhooks. */
export function explainStandard(sent: SentRequest): SignatureSteps {
  const [id = "", timestamp = ""] = [sent.header("webhook-id"), sent.header("webhook-timestamp")];
  const content = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), sent.body]);
  return {
    header: "webhook-signature",
    recipe: "webhook-id, webhook-timestamp and the raw body, joined by full stops",
    content,
    algorithm: "HMAC-SHA256, base64, after v1,",
    key: "the bytes that the base64 after whsec_ stands for",
    timestamp: { header: "webhook-timestamp", value: timestamp, at: epochSeconds(timestamp) },
    signatureOf: (secret) => `v1,${hmac(standardKey(secret), content, "base64")}`,
    received: words(sent.header("webhook-signature"), " "),
  };
}

/** How receivers check what any endpoint can ask for, by name. */
export const commonExplanations: Readonly<Record<string, (sent: SentRequest) => SignatureSteps>> = {
  standard: explainStandard,
  "hex-sha256"(sent) {
    const timestamp = sent.header("x-timestamp") ?? "";
    return {
      header: "X-Signature",
      recipe: "the raw body alone; X-Timestamp is not signed",
      content: sent.body,
      algorithm: "HMAC-SHA256, hex",
      key: "the text of the secret, whsec_ included",
      timestamp: { header: "X-Timestamp", value: timestamp, at: Date.parse(timestamp) },
      signatureOf: (secret) => hmac(secret, sent.body, "hex"),
      received: words(sent.header("x-signature"), " "),
    };
  },
  stripe(sent) {
    const parts = words(sent.header("stripe-signature"), ",");
    const timestamp = parts.find((part) => part.startsWith("t="))?.slice(2) ?? "";
    const content = Buffer.concat([Buffer.from(`${timestamp}.`), sent.body]);
    return {
      header: "Stripe-Signature",
      recipe: "t of the header and the raw body, joined by a full stop",
      content,
      algorithm: "HMAC-SHA256, hex, after v1=",
      key: "the text of the secret, whsec_ included",
      timestamp: { header: "Stripe-Signature t", value: timestamp, at: epochSeconds(timestamp) },
      signatureOf: (secret) => `v1=${hmac(secret, content, "hex")}`,
      received: parts.filter((part) => part.startsWith("v1=")),
    };
  },
};

function hmac(key: string | Buffer, content: Buffer, encoding: "hex" | "base64"): string {
  return createHmac("sha256", key).update(content).digest(encoding);
}

const words = (text: string | undefined, between: string) => (text ?? "").split(between).filter((word) => word !== "");
const epochSeconds = (text: string) => (/^\d+$/.test(text) ? Number(text) * 1000 : Number.NaN);

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
