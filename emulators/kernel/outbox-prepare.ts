/** The request of one attempt: address, headers, signatures. */
import type { Endpoint } from "./endpoints.ts";
import type { Delivery } from "./outbox-store.ts";
import { commonSchemes } from "./signatures.ts";
import type { BoundScheme, Try, Unsigned } from "./webhook.ts";

export interface Prepared {
  readonly url: string;
  readonly headers: Record<string, string>;
}

export function prepare(
  delivery: Delivery,
  endpoint: Endpoint | undefined,
  context: {
    readonly schemes: ReadonlyMap<string, BoundScheme>;
    readonly signed: boolean;
    readonly now: number;
    readonly wall: number;
    readonly next: Try;
  },
): Prepared {
  const { schemes, signed } = context;
  const scheme = schemes.get(delivery.scheme);
  const url = scheme ? scheme.address(delivery.url) : delivery.url;
  const request: Unsigned = {
    id: delivery.event,
    method: delivery.method,
    url,
    body: delivery.body,
    contentType: delivery.content_type,
    at: endpoint?.signingTime === "virtual" ? context.now : context.wall,
  };
  const headers: Record<string, string> = delivery.method === "POST" ? { "content-type": delivery.content_type } : {};
  if (scheme) {
    Object.assign(headers, scheme.headers, scheme.describe(context.next));
    const secret = scheme.secretOf(delivery.credential);
    if (!signed || secret === undefined) return { url, headers };
    const signature = scheme.sign(request, secret);
    return { url: signature.url ?? url, headers: { ...headers, ...signature.headers } };
  }
  headers["user-agent"] = "Backlot-Webhooks/1";
  if (!endpoint || !signed) return { url, headers: { ...headers, "webhook-id": delivery.event } };
  const secrets = secretsOf(endpoint, context.now);
  let address = url;
  for (const name of endpoint.schemes) {
    const common = commonSchemes[name];
    if (common) {
      Object.assign(headers, common(request, secrets));
      continue;
    }
    const own = schemes.get(name);
    const signature = own?.sign(request, endpoint.secret);
    Object.assign(headers, own?.headers, signature?.headers);
    address = signature?.url ?? address;
  }
  return { url: address, headers };
}

/** The newest first; during a rotation the one that is about to retire signs too. */
export function secretsOf(endpoint: Endpoint, now: number): readonly [string, ...string[]] {
  const { secret, previous } = endpoint;
  return previous && previous.until > now ? [secret, previous.secret] : [secret];
}
