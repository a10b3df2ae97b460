/** What every answer of Azure Resource Manager carries, and who may ask. */
import { answer, type Exchange } from "../kernel/exchange.ts";
import { type QuotaName, quotas } from "./quota.ts";

/** A request id as Azure writes it. */
export function requestGuid({ id }: Exchange): string {
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20, 32)}`;
}

export function armHeaders(exchange: Exchange): Record<string, string> {
  const id = requestGuid(exchange);
  const correlation = exchange.header("x-ms-correlation-request-id") ?? id;
  const stamp = new Date(exchange.at).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const headers: Record<string, string> = {
    "cache-control": "no-cache",
    pragma: "no-cache",
    expires: "-1",
    "content-type": "application/json; charset=utf-8",
    vary: "Accept-Encoding",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-ms-request-id": id,
    "x-ms-correlation-request-id": correlation,
    "x-ms-routing-request-id": `WESTEUROPE:${stamp}Z:${id}`,
  };
  const client = exchange.header("x-ms-client-request-id");
  if (client !== undefined) headers["x-ms-client-request-id"] = client;
  return headers;
}

export function answerArm(
  exchange: Exchange,
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const remaining =
    exchange.method === "GET"
      ? { "x-ms-ratelimit-remaining-subscription-global-reads": remainingOf(exchange, "reads") }
      : {
          "x-ms-ratelimit-remaining-subscription-writes": remainingOf(exchange, "writes"),
          "x-ms-ratelimit-remaining-subscription-global-writes": "11999",
        };
  const body = value === undefined ? null : JSON.stringify(value);
  return answer(exchange, status, body, { ...armHeaders(exchange), ...remaining, ...headers });
}

/** What a strict seed counted for this request; else what is left after a first one. */
export function remainingOf({ notes }: Exchange, name: QuotaName): string {
  const counted = notes.quota as Partial<Record<QuotaName, number>> | undefined;
  return String(counted?.[name] ?? quotas[name].most - 1);
}
