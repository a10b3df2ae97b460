/**
 * Messages as JSON last showed them. Lists show the same messages again and again: reading a row and making its text costs
 * more than everything else about a list.
 */
import type { Message } from "../domain/message.ts";
import { renderMessage } from "../wire/message.ts";
import type { TwilioRuntime } from "./call.ts";

export interface KeptTexts {
  /** The message as it reads at `now`; undefined when there is none of that sid. */
  get(sid: string, now: number): ShownText | undefined;
  /** The same by its place in the order of arrival, with its bytes. */
  at(arrival: number, now: number): (ShownText & { readonly bytes: Buffer }) | undefined;
}

/** Instants between which something reads the same: from the first on, until before the second. */
interface Span {
  readonly from: number;
  readonly until: number;
}

export interface ShownText extends Span {
  readonly sid: string;
  readonly accountSid: string;
  readonly text: string;
  /** The same, once a list has asked for it. */
  bytes?: Buffer;
}

/** About 2 MB. */
const mostKept = 2_000;
const longestKept = 4_096;

export function keepTexts({ state, store }: Pick<TwilioRuntime, "state" | "store">): KeptTexts {
  const kept = new Map<string, ShownText>();
  const sids = new Map<number, string>();
  const clear = () => {
    kept.clear();
    sids.clear();
  };
  state.onMessageChange((sid) => {
    if (sid === undefined) clear();
    else kept.delete(sid);
  });
  const readAt = (sid: string | undefined, now: number) => {
    const known = sid === undefined ? undefined : kept.get(sid);
    return known && now >= known.from && now < known.until ? known : undefined;
  };
  const keep = (message: Message | undefined, now: number): ShownText | undefined => {
    if (!message) return undefined;
    const { sid, accountSid } = message;
    const text = renderMessage(message, { now, extension: ".json" });
    const shown: ShownText = { sid, accountSid, text, ...readable(message, now) };
    // What may still be taken back is not kept.
    if (store.db.inTransaction || text.length > longestKept) return shown;
    if (kept.size >= mostKept) clear();
    kept.set(sid, shown);
    return shown;
  };
  return {
    get: (sid, now) => readAt(sid, now) ?? keep(state.message(sid), now),
    at(arrival, now) {
      const known = readAt(sids.get(arrival), now);
      const shown = known ?? keep(state.messageAt(arrival), now);
      if (!shown) return undefined;
      if (!known && kept.get(shown.sid) === shown) {
        // Places outlive texts, which go when their message changes.
        if (sids.size >= mostKept) sids.clear();
        sids.set(arrival, shown.sid);
      }
      shown.bytes ??= Buffer.from(shown.text);
      return shown as ShownText & { readonly bytes: Buffer };
    },
  };
}

/** As long as a message that is read at `now` reads the same while nothing changes it: its price shows once it was billed. */
export function readable({ billedAt }: Pick<Message, "billedAt">, now: number): Span {
  if (billedAt === null) return always;
  return billedAt <= now ? { ...always, from: billedAt } : { ...always, until: billedAt };
}

const always: Span = { from: Number.NEGATIVE_INFINITY, until: Number.POSITIVE_INFINITY };

/** As long as all of them read the same. */
export function common(spans: readonly Span[]): Span {
  let { from, until } = always;
  for (const span of spans) {
    if (span.from > from) from = span.from;
    if (span.until < until) until = span.until;
  }
  return { from, until };
}
