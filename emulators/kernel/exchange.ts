/** One HTTP request on its way through an emulator, and what was answered. */
import type { Instant } from "./clock.ts";
import type { Departure } from "./departure.ts";
import { Pieces } from "./pieces.ts";

/** Bytes in one piece or in several, or a stream that ends when the client goes away. */
export type AnswerBody = string | Uint8Array<ArrayBufferLike> | Pieces | ReadableStream<Uint8Array> | null;

/** A body that is no stream, in one piece. */
export function inOnePiece<Body>(body: Body | Pieces): Exclude<Body, Pieces> | Buffer {
  return body instanceof Pieces ? body.whole() : (body as Exclude<Body, Pieces>);
}

export interface Answered {
  readonly status: number;
  readonly body: AnswerBody;
  readonly headers: Readonly<Record<string, string>>;
  /** Told when a socket has taken the whole body: whoever lent its bytes may write into them again. Else never told. */
  readonly sent?: (() => void) | undefined;
}

/** No body. */
export const nothing = Buffer.alloc(0);

export abstract class Exchange {
  /** 32 lower-case hex characters, unique in the process and repeatable for the same order of requests. */
  readonly id: string;
  readonly at: Instant;
  readonly method: string;
  /** Path and query exactly as they came. */
  readonly target: string;
  /** Host header, or the authority of the URL in process. */
  readonly host: string;
  /** `https://management.azure.com`, `http://127.0.0.1:4101`: how the client reached this server. */
  readonly origin: string;
  readonly remote: string;
  /** `origin` plus the prefix under which the site was reached: what absolute links are built from. */
  base: string;
  /** The whole body, at most the body limit; empty until it is read. */
  body: Buffer = nothing;
  /** What the journal entry says so far: how the request came, and what was noted. */
  readonly notes: Readonly<Record<string, unknown>>;
  /** How many requests of its account were under way when it came, itself included; only where a ceiling counts them. */
  concurrent?: number;
  /** Set by `answer`: what goes to the client and into the journal. */
  answered: Answered | undefined = undefined;
  /** Set when a planned fault spoils how the answer leaves. */
  departure?: Departure;

  constructor(parts: Pick<Exchange, "id" | "at" | "method" | "target" | "host" | "origin" | "remote">) {
    this.id = parts.id;
    this.at = parts.at;
    this.method = parts.method;
    this.target = parts.target;
    this.host = parts.host;
    this.origin = parts.origin;
    this.remote = parts.remote;
    this.base = parts.origin;
    // Made to be the data of the journal entry: nothing is copied when the entry is written.
    this.notes = { method: parts.method, target: parts.target, host: parts.host, remote: parts.remote };
  }

  abstract header(name: string): string | undefined;
  /** Every request header, lower-case names. */
  abstract headers(): Readonly<Record<string, string>>;

  /** Adds a fact to the journal entry: operation, resource, account, what was noticed. */
  note(name: string, value: unknown): void {
    (this.notes as Record<string, unknown>)[name] = value;
  }
}

/** The same exchange, asking for something else. What it notes goes into the same journal entry. */
export function retargeted(
  exchange: Exchange,
  change: Partial<Pick<Exchange, "method" | "target" | "header">>,
): Exchange {
  return Object.assign(Object.create(Object.getPrototypeOf(exchange)), exchange, change);
}

const longText = 16 * 1024;

/** What a handler hands to the router: nobody reads it. A web Response costs up to 15 us, and the first loads undici. */
export const answeredElsewhere = Object.freeze({}) as Response;

/** The one way to answer. The bytes go from here to the socket and the journal, past the router. */
export function answer(
  exchange: Exchange,
  status: number,
  body: AnswerBody,
  headers: Readonly<Record<string, string>>,
  sent?: () => void,
): Response {
  // Long texts are encoded once, here: measuring, writing and journalling a string would each flatten and encode it again.
  const bytes = typeof body === "string" && body.length > longText ? Buffer.from(body) : body;
  exchange.answered = { status, body: bytes, headers, sent };
  return answeredElsewhere;
}

export function answerJson(
  exchange: Exchange,
  status: number,
  value: unknown,
  headers?: Readonly<Record<string, string>>,
): Response {
  return answer(exchange, status, JSON.stringify(value), { "content-type": "application/json", ...headers });
}
