/** What becomes of a message at one recipient, when it is not simply delivered. */
export interface Outcome {
  readonly life: "bounced" | "deferred" | "complained" | "replied" | "opened" | "clicked" | "unsubscribed";
  /** Enhanced status code of a bounce or a deferral (RFC 3463). */
  readonly status?: string;
  /** What the recipient's server says. */
  readonly text?: string;
  /** To the first event, before BACKLOT_PACE; default one second. */
  readonly afterMs?: number;
  /** How often delivery is put off before it succeeds. */
  readonly deferrals?: number;
}

export type EventType =
  | "email.accepted"
  | "email.delivered"
  | "email.deferred"
  | "email.bounced"
  | "email.complained"
  | "email.opened"
  | "email.clicked"
  | "email.unsubscribed"
  | "email.replied";

export const eventTypes = [
  "email.accepted",
  "email.delivered",
  "email.deferred",
  "email.bounced",
  "email.complained",
  "email.opened",
  "email.clicked",
  "email.unsubscribed",
  "email.replied",
] as const satisfies readonly EventType[];

/** One event of a life, `afterMs` after acceptance. */
export interface Step {
  readonly type: EventType;
  readonly afterMs: number;
  readonly status?: string;
  readonly text?: string;
}

const deliveryMs = 1000;

/** The life as its events, in order: a function of the outcome alone. */
export function stepsOf(outcome: Outcome): readonly Step[] {
  const first = outcome.afterMs ?? deliveryMs;
  const said = {
    ...(outcome.status !== undefined && { status: outcome.status }),
    ...(outcome.text !== undefined && { text: outcome.text }),
  };
  const delivered: Step = { type: "email.delivered", afterMs: deliveryMs };
  switch (outcome.life) {
    case "bounced":
      return [{ type: "email.bounced", afterMs: first, ...said }];
    case "deferred": {
      const times = outcome.deferrals ?? 1;
      const puttingOff = Array.from(
        { length: times },
        (_, n): Step => ({ type: "email.deferred", afterMs: first * 2 ** n, ...said }),
      );
      return [...puttingOff, { type: "email.delivered", afterMs: first * 2 ** times }];
    }
    case "complained":
    case "opened":
    case "clicked":
    case "unsubscribed":
    case "replied":
      return [delivered, { type: `email.${outcome.life}`, afterMs: deliveryMs + first }];
  }
}
