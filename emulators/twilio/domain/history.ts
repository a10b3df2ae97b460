/**
 * A year of an account's traffic: quiet weekends, busy mornings, now and then a failure. A pure function of the seed, so that
 * every start shows the same past.
 */
import type { Ids } from "../../kernel/ids.ts";

export interface PastMessage {
  readonly at: number;
  readonly inbound: boolean;
  readonly person: string;
  readonly body: string;
  readonly status: "delivered" | "undelivered" | "failed" | "received";
  readonly errorCode: number | null;
}

export interface PastCall {
  readonly at: number;
  readonly inbound: boolean;
  readonly person: string;
  readonly status: "completed" | "busy" | "no-answer";
  readonly seconds: number;
}

const dayMs = 86_400_000;
const days = 358;
const outbound = [
  "Call time tomorrow is 06:30 at Stage 4.",
  "Reminder: costume fitting today at 14:00, building C.",
  "Your verification code is 204718",
  "The shuttle leaves the north gate at 05:50.",
  "Weather cover: scene 31 moves to Stage 2.",
  "Your parking permit for lot B is ready.",
  "Wrap. Thank you, see you on Monday!",
];
const replies = ["OK", "Thanks!", "Got it", "On my way", "Running ten minutes late"];
const failures = [30003, 30005, 30006, 30007];

/** Oldest first; the newest is a week before `now`, where the seed's own entries begin. */
export function pastMessages(ids: Ids, account: string, now: number): readonly PastMessage[] {
  const messages: PastMessage[] = [];
  for (let day = days; day > 7; day -= 1) {
    const midnight = Math.floor((now - day * dayMs) / dayMs) * dayMs;
    const chance = draws(ids, "message-history", account, day);
    const weekend = [0, 6].includes(new Date(midnight).getUTCDay());
    const count = Math.floor(chance(0) * (weekend ? 1 : 4));
    for (let n = 0; n < count; n += 1) {
      const share = (k: number) => chance(1 + n * 4 + k);
      const inbound = share(0) < 0.25;
      const failed = !inbound && share(1) < 0.06;
      messages.push({
        at: midnight + Math.floor((8 + share(2) * 11) * 3_600) * 1_000,
        inbound,
        person: personOf(share(3)),
        body: pick(inbound ? replies : outbound, share(1) * 7.3),
        status: inbound ? "received" : failed ? "undelivered" : "delivered",
        errorCode: failed ? pick(failures, share(2)) : null,
      });
    }
  }
  return messages.sort((left, right) => left.at - right.at);
}

export function pastCalls(ids: Ids, account: string, now: number): readonly PastCall[] {
  const calls: PastCall[] = [];
  for (let day = days; day > 0; day -= 3) {
    const midnight = Math.floor((now - day * dayMs) / dayMs) * dayMs;
    const chance = draws(ids, "call-history", account, day);
    const outcome = chance(0);
    const status = outcome < 0.1 ? "busy" : outcome < 0.25 ? "no-answer" : "completed";
    calls.push({
      at: midnight + Math.floor((8 + chance(1) * 11) * 3_600) * 1_000,
      inbound: chance(2) < 0.4,
      person: personOf(chance(3)),
      status,
      seconds: status === "completed" ? 15 + Math.floor(chance(4) * 400) : 0,
    });
  }
  return calls.sort((left, right) => left.at - right.at);
}

/** Shares of [0, 1) from one digest a day. */
function draws(ids: Ids, kind: string, account: string, day: number): (n: number) => number {
  const bytes = ids.fixed(`twilio.${kind}`, [account, day]).bytes();
  return (n) => bytes.readUInt8(n % bytes.length) / 256;
}

/** Numbers kept for fiction: 202-555-0160 to 0189, apart from those that the seed's own entries write to. */
function personOf(share: number): string {
  return `+120255501${60 + Math.floor(share * 30)}`;
}

function pick<T>(choices: readonly [T, ...T[]] | readonly T[], share: number): T {
  const chosen = choices[Math.floor(share * choices.length) % choices.length];
  if (chosen === undefined) throw new Error("nothing to choose from");
  return chosen;
}
