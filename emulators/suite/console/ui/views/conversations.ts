/** One conversation per pair of numbers: what was written and said, and what the journal knows of how it went. */
import type { Entry } from "../live.ts";

export interface Message {
  readonly sid: string;
  readonly direction: string;
  /** Null until a messaging service has chosen a sender. */
  readonly from: string | null;
  readonly to: string;
  readonly body: string;
  readonly media: number;
  readonly status: string;
  readonly errorCode: number | null;
  readonly messagingServiceSid: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface Call {
  readonly sid: string;
  readonly direction: string;
  readonly from: string;
  readonly to: string;
  readonly status: string;
  readonly seconds: number | null;
  readonly waitingFor: string | null;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export type Turn =
  | { readonly tag: "message"; readonly sid: string; readonly at: string; readonly message: Message }
  | { readonly tag: "call"; readonly sid: string; readonly at: string; readonly call: Call };

export interface Conversation {
  readonly key: string;
  readonly own: string;
  readonly other: string;
  /** Oldest first. */
  readonly turns: readonly Turn[];
}

export interface Step {
  readonly status: string;
  readonly at: string;
}

export const isInbound = ({ direction }: { readonly direction: string }) => direction === "inbound";

/** The conversation with the latest turn first. Both lists come newest first. */
export function conversationsOf(messages: readonly Message[], calls: readonly Call[]): readonly Conversation[] {
  const turns: Turn[] = [
    ...messages.map((message) => ({ tag: "message", sid: message.sid, at: message.createdAt, message }) as const),
    ...calls.map((call) => ({ tag: "call", sid: call.sid, at: call.createdAt, call }) as const),
  ];
  const found = new Map<string, Omit<Conversation, "turns"> & { readonly turns: Turn[] }>();
  for (const turn of turns.reverse().sort((left, right) => (left.at < right.at ? -1 : left.at > right.at ? 1 : 0))) {
    const { own, other } = partiesOf(turn);
    const key = `${own} ${other}`;
    const conversation = found.get(key) ?? { key, own, other, turns: [] };
    conversation.turns.push(turn);
    // A conversation moves behind those that were heard of earlier.
    found.delete(key);
    found.set(key, conversation);
  }
  return [...found.values()].reverse();
}

function partiesOf(turn: Turn): { readonly own: string; readonly other: string } {
  if (turn.tag === "call") {
    const { call } = turn;
    return isInbound(call) ? { own: call.to, other: call.from } : { own: call.from, other: call.to };
  }
  const { message } = turn;
  const sender = message.from ?? message.messagingServiceSid ?? "no sender yet";
  return isInbound(message) ? { own: message.to, other: sender } : { own: sender, other: message.to };
}

/** What the journal has of each message and call: steps of its life, and webhooks about it. */
export function journalOf(entries: readonly Entry[]) {
  const steps = new Map<string, Step[]>();
  const deliveries = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (entry.emulator !== "twilio") continue;
    if (entry.kind === "change" && typeof entry.status === "string" && entry.subject !== undefined)
      add(steps, entry.subject, { status: entry.status, at: entry.at });
    else if (entry.kind === "delivery" && typeof entry.resource === "string") add(deliveries, entry.resource, entry);
  }
  return { steps, deliveries };
}

export type JournalView = ReturnType<typeof journalOf>;

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known) known.push(value);
  else map.set(key, [value]);
}
