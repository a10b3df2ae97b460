/** What browsers are told and refused on control answers; a provider's own answers carry the provider's headers. */
import { answer, answerJson, type Exchange } from "../exchange.ts";

export const securityHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Whether a page of this origin may use the control API: no page at all, the server's own, or one of BACKLOT_CORS_ORIGINS. */
export function mayUse(origin: string | undefined, host: string, allowed: readonly string[]): boolean {
  if (origin === undefined) return true;
  return URL.parse(origin)?.host === host.toLowerCase() || isAllowed(origin, allowed);
}

const isAllowed = (origin: string, allowed: readonly string[]) => allowed.includes(origin) || allowed.includes("*");

/**
 * Answers a preflight, and refuses what a foreign page sends: browsers send a simple POST without asking first, so that
 * not letting the page read the answer would not be enough.
 */
export function crossOriginAnswer(exchange: Exchange, allowed: readonly string[]): Response | undefined {
  const origin = exchange.header("origin");
  if (origin === undefined) return undefined;
  const fine = mayUse(origin, exchange.host, allowed);
  if (exchange.method === "OPTIONS" && exchange.header("access-control-request-method") !== undefined && fine)
    return answer(exchange, 204, null, {
      "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
      "access-control-allow-headers": exchange.header("access-control-request-headers") ?? "content-type",
      "access-control-max-age": "600",
    });
  if (fine || exchange.method === "GET" || exchange.method === "HEAD") return undefined;
  return answerJson(exchange, 403, {
    error: "foreign_origin",
    message: `A page of ${origin} may not steer this server; add that origin to BACKLOT_CORS_ORIGINS if it should.`,
  });
}

/** Adds what every control answer carries; a handler's own headers win. Credentials are never allowed across origins. */
export function harden(exchange: Exchange, allowed: readonly string[]): void {
  const { answered } = exchange;
  if (!answered) return;
  const origin = exchange.header("origin");
  const cross =
    origin !== undefined && isAllowed(origin, allowed)
      ? {
          "access-control-allow-origin": origin,
          "access-control-expose-headers": "etag, retry-after, idempotent-replayed",
          vary: "origin",
        }
      : allowed.length > 0
        ? { vary: "origin" }
        : undefined;
  exchange.answered = { ...answered, headers: { ...securityHeaders, ...cross, ...answered.headers } };
}
