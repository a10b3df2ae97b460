/** An exchange in process: a web Request read into it, a Response made of its answer. */
import { type Answered, Exchange, inOnePiece } from "./exchange.ts";

export class RequestExchange extends Exchange {
  private readonly request: Request;

  constructor(request: Request, id: string, at: number) {
    const url = new URL(request.url);
    const host = request.headers.get("host") ?? url.host;
    super({
      id,
      at,
      method: request.method,
      target: url.pathname + url.search,
      host,
      origin: `${url.protocol}//${host}`,
      remote: "in-process",
    });
    this.request = request;
  }

  override header(name: string): string | undefined {
    return this.request.headers.get(name) ?? undefined;
  }

  override headers(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.request.headers);
  }
}

/** The whole body, or undefined when it is larger than `limit`. */
export async function readRequest(request: Request, limit: number): Promise<Buffer | undefined> {
  const body = Buffer.from(await request.arrayBuffer());
  return body.length > limit ? undefined : body;
}

export function responseOf(answered: Answered | undefined): Response {
  const { status, headers, body } = answered ?? { status: 500, headers: {}, body: null };
  return new Response(
    status === 204 || status === 304 ? null : (inOnePiece(body) as string | Uint8Array<ArrayBuffer> | null),
    {
      status,
      headers,
    },
  );
}
