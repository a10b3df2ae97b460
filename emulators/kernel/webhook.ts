/** What is told to receivers, and how a provider signs and retries it. */
import type { Instant } from "./clock.ts";
import type { Runtime } from "./emulator.ts";

/** Something that happened, told to every endpoint that was registered for its type. */
export interface WebhookEvent {
  /** Dot-separated, e.g. `message.delivered`; endpoints filter by it. */
  readonly type: string;
  /** Id of the resource it is about. Deliveries about one resource to one target keep their order. */
  readonly subject: string;
  readonly occurredAt: Instant;
  readonly data: unknown;
}

/** A request in the provider's own form that a client asked for, such as Twilio's StatusCallback. */
export interface Callback {
  readonly type: string;
  readonly subject: string;
  readonly occurredAt: Instant;
  /** Name of one of the emulator's webhook schemes. */
  readonly scheme: string;
  /** What the scheme's `secretOf` finds the key by, e.g. the account sid. */
  readonly credential: string;
  readonly method: "POST" | "GET" | "OPTIONS";
  readonly url: string;
  readonly contentType: string;
  readonly body: string;
}

/** A delivery at one of its tries. */
export interface Try {
  readonly id: string;
  /** As the callback named them. */
  readonly type: string;
  readonly credential: string;
  readonly url: string;
  readonly contentType: string;
  readonly body: Buffer;
  readonly occurredAt: Instant;
  /** Instant of this try. */
  readonly at: Instant;
  /** From 1 on, counted again after a replay. */
  readonly n: number;
  /** In [0, 1), the same for the same try of the same delivery: what schedules are spread by. */
  readonly spread: number;
}

/** What is about to be sent; `body` is signed byte for byte. */
export interface Unsigned {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
  readonly contentType: string;
  /** Instant of this attempt. */
  readonly at: Instant;
}

/** A request as its receiver got it. */
export interface SentRequest {
  readonly method: string;
  readonly url: string;
  header(name: string): string | undefined;
  readonly contentType: string;
  readonly body: Buffer;
}

/** How a receiver checks a signature: what is signed, with which key, and what the header holds. */
export interface SignatureSteps {
  readonly header: string;
  /** How the content comes about, in words. */
  readonly recipe: string;
  readonly content: Buffer;
  readonly algorithm: string;
  /** What the key is, in words. */
  readonly key: string;
  /** Where the request bears one; epoch milliseconds, NaN when it is no time. */
  readonly timestamp?: { readonly header: string; readonly value: string; readonly at: Instant };
  /** As it would stand in the header. */
  signatureOf(secret: string): string;
  /** Those in the header: more than one during a rotation. */
  readonly received: readonly string[];
}

export type Outcome =
  | { readonly tag: "delivered"; readonly status: number }
  | { readonly tag: "answered"; readonly status: number; readonly retryAfterMs?: number }
  | {
      readonly tag: "failed";
      readonly reason: "connect" | "timeout" | "reset" | "dns" | "tls" | "egress";
      readonly detail: string;
    };

/** What became of a delivery after its last try; the answer's body is at most 64 KiB of `bodyBytes`. */
export interface Conclusion {
  /** Of the delivery, by which `outbox.get` finds what was sent. */
  readonly id: string;
  readonly credential: string;
  readonly attempts: number;
  readonly type: string;
  readonly subject: string;
  readonly url: string;
  readonly occurredAt: Instant;
  readonly at: Instant;
  readonly outcome: Outcome;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
  readonly bodyBytes: number;
}

/** How one provider signs, retries and gives up. */
export interface WebhookScheme<State> {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  /** False: deliveries about one resource do not wait for each other. */
  readonly ordered?: boolean;
  secretOf(runtime: Runtime<State>, credential: string): string | undefined;
  /** Headers that carry the signature; `url` when the signature also changes the address. */
  sign(
    request: Unsigned,
    secret: string,
  ): { readonly headers: Readonly<Record<string, string>>; readonly url?: string };
  /** The way back: how a receiver checks what `sign` made. */
  explain?(sent: SentRequest): SignatureSteps;
  /** The address as it is called: without what only configures the delivery (Twilio's `#rc=2`). Default: as given. */
  address?(url: string): string;
  /** Milliseconds to the next try after `attempts` tries, the last with `outcome`; undefined gives up. */
  retryDelay(url: string, attempts: number, outcome: Outcome, last: Try, runtime: Runtime<State>): number | undefined;
  /** Headers of one try that are no signature: sent also when signatures are switched off. */
  describe?(next: Try, runtime: Runtime<State>): Readonly<Record<string, string>>;
  /** Whether a 2xx answer counts as delivered. Default: every one does. */
  accepts?(status: number): boolean;
  /** Deadlines of one attempt in real milliseconds; the default is 2 s to connect and 15 s in all. */
  timeouts?(url: string): { readonly connectMs?: number; readonly totalMs?: number };
  /**
   * Inside the write that records the last try: for requests whose answer says what happens next (TwiML). What it changes
   * commits with the attempt.
   */
  concluded?(runtime: Runtime<State>, conclusion: Conclusion): void;
}

/** A scheme with its runtime and defaults filled in. */
export interface BoundScheme {
  readonly name: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly ordered: boolean;
  secretOf(credential: string): string | undefined;
  sign(
    request: Unsigned,
    secret: string,
  ): { readonly headers: Readonly<Record<string, string>>; readonly url?: string };
  address(url: string): string;
  retryDelay(url: string, attempts: number, outcome: Outcome, last: Try): number | undefined;
  describe(next: Try): Readonly<Record<string, string>>;
  accepts(status: number): boolean;
  timeouts(url: string): { readonly connectMs: number; readonly totalMs: number };
  concluded(conclusion: Conclusion): void;
}

export function bindScheme<State>(scheme: WebhookScheme<State>, runtime: () => Runtime<State>): BoundScheme {
  return {
    name: scheme.name,
    headers: scheme.headers,
    ordered: scheme.ordered ?? true,
    secretOf: (credential) => scheme.secretOf(runtime(), credential),
    sign: (request, secret) => scheme.sign(request, secret),
    address: (url) => scheme.address?.(url) ?? url,
    retryDelay: (url, attempts, outcome, last) => scheme.retryDelay(url, attempts, outcome, last, runtime()),
    describe: (next) => scheme.describe?.(next, runtime()) ?? {},
    accepts: (status) => scheme.accepts?.(status) ?? true,
    timeouts: (url) => ({ connectMs: 2_000, totalMs: 15_000, ...scheme.timeouts?.(url) }),
    concluded: (conclusion) => scheme.concluded?.(runtime(), conclusion),
  };
}
