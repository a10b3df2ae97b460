/** An exchange in process: a web Request read into it, a Response made of its answer. */
import { type Answered, type Exchange, exchangeOf } from "./exchange.ts";

export function fromRequest(request: Request, id: string, at: number): Exchange {
  const url = new URL(request.url);
  return exchangeOf({
    id,
    at,
    method: request.method,
    target: url.pathname + url.search,
    host: request.headers.get("host") ?? url.host,
    origin: `${url.protocol}//${request.headers.get("host") ?? url.host}`,
    remote: "in-process",
    header: (name) => request.headers.get(name) ?? undefined,
    headers: () => Object.fromEntries(request.headers),
  });
}

/** The whole body, or undefined when it is larger than `limit`. */
export async function readRequest(request: Request, limit: number): Promise<Buffer | undefined> {
  const body = Buffer.from(await request.arrayBuffer());
  return body.length > limit ? undefined : body;
}

export function responseOf(answered: Answered | undefined): Response {
  const { status, headers, body } = answered ?? { status: 500, headers: {}, body: null };
  return new Response(status === 204 || status === 304 ? null : (body as string | Uint8Array<ArrayBuffer> | null), {
    status,
    headers,
  });
}
