/**
 * What the control API answers, where a page reads it too: types alone and nothing of Node, so that both sides of the wire
 * have the same.
 */

export interface ShownEndpoint {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly schemes: readonly string[];
  readonly secret: string;
  /** The one before, which signs too until then. */
  readonly previous?: { readonly secret: string; readonly until: string };
  readonly enabled: boolean;
  readonly disabledReason?: string;
  readonly createdAt: string;
}

export type DeliveryState = "waiting" | "delivered" | "dead" | "discarded";

export interface ShownDelivery {
  readonly id: string;
  readonly cursor: number;
  readonly webhookId: string;
  /** Id of the registered endpoint; null for a callback that a client asked for. */
  readonly endpoint: string | null;
  readonly type: string;
  readonly subject: string;
  readonly occurredAt: string;
  readonly method: string;
  readonly url: string;
  /** `endpoint`, or the name of one of the emulator's schemes. */
  readonly scheme: string;
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly tries: number;
  readonly replayedAfter: number;
  readonly nextDue: string | null;
  readonly endedAt: string | null;
}

export interface ShownAttempt {
  readonly n: number;
  readonly at: string;
  readonly request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly bodySha256: string;
  };
  readonly outcome: string;
  readonly status: number | null;
  readonly detail: string | null;
  readonly response: { readonly headers: unknown; readonly body: string; readonly bodyBytes: number } | null;
  readonly wallMs: number | null;
  readonly nextDue: string | null;
}

/** A signature of an attempt, checked as its receiver would check it. */
export interface SignatureCheck {
  readonly scheme: string;
  readonly verdict: "valid" | "invalid" | "not signed" | "unknown";
  /** Why it is not valid. */
  readonly reason: string | null;
  readonly bodySha256: { readonly sent: string; readonly kept: string; readonly same: boolean };
  readonly timestamp: {
    readonly header: string;
    readonly value: string;
    readonly at: string | null;
    /** From the clock that dated it, at the time of sending. */
    readonly skewSeconds: number | null;
    readonly toleranceSeconds: number;
    readonly fresh: boolean;
  } | null;
  readonly content: { readonly recipe: string; readonly text: string; readonly bytes: number } | null;
  readonly key: { readonly is: string; readonly fingerprints: readonly string[] } | null;
  readonly algorithm: string | null;
  readonly header: string | null;
  readonly expected: readonly string[];
  readonly received: readonly string[];
}
