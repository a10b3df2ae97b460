/** What every answer of the real service carries besides its body. */
import type { Exchange } from "../../kernel/exchange.ts";

const always = {
  // How long real requests take is no property of an emulator; a constant keeps answers equal from run to run.
  "Twilio-Request-Duration": "0.005",
  "X-Home-Region": "us1",
  "X-Powered-By": "AT-5000",
  "X-Shenanigans": "none",
  "Strict-Transport-Security": "max-age=31536000",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers":
    "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, If-None-Match, If-Unmodified-Since, Idempotency-Key",
  "Access-Control-Allow-Methods": "GET, POST, DELETE, OPTIONS",
  "Access-Control-Expose-Headers": "ETag",
  "Access-Control-Allow-Credentials": "true",
} as const;

/** `createdSid` names the request after what it created. */
export function responseHeaders(
  { id, concurrent }: Pick<Exchange, "id" | "concurrent">,
  domain: string,
  contentType: string | undefined,
  createdSid?: string,
): Record<string, string> {
  const headers: Record<string, string> = {
    "Twilio-Concurrent-Requests": String(concurrent ?? 1),
    ...always,
    "X-API-Domain": domain,
    "Twilio-Request-Id": `RQ${createdSid === undefined ? id : createdSid.slice(2)}`,
  };
  if (contentType !== undefined) headers["Content-Type"] = contentType;
  return headers;
}

/** Paths of the 2010 API answer XML unless they end in `.json`. */
export function wantsXml(exchange: Exchange): boolean {
  const { target } = exchange;
  if (!target.startsWith("/2010-04-01")) return false;
  const query = target.indexOf("?");
  return !target.endsWith(".json", query < 0 ? target.length : query);
}
