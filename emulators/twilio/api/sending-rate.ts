/**
 * How fast one sender sends: a long code one message a second, a toll-free number three, WhatsApp eighty, a short code a hundred. What is sent
 * faster waits, four hours at most. Off until it is asked for, as few tests want to wait for a carrier.
 */
import { lineType } from "../domain/countries.ts";
import { isChannel } from "../domain/phone-numbers.ts";
import { senderQueue, sendingRates } from "../kinds.ts";
import type { TwilioRuntime } from "./call.ts";

const longestQueueMs = 4 * 3_600_000;
const settingKey = "sending-rates";

function perSecond(sender: string): number {
  if (isChannel(sender)) return 80;
  if (!sender.startsWith("+")) return 100;
  return lineType(sender) === "tollFree" ? 3 : 1;
}

export function ratesApply({ state }: TwilioRuntime): boolean {
  return state.resourceByKey(sendingRates, settingKey)?.data.apply ?? false;
}

/** Inside a write. */
export function applyRates({ state }: TwilioRuntime, apply: boolean): void {
  const stamps = { accountSid: "", parent: "", createdAt: 0, updatedAt: 0 };
  state.addResource(sendingRates, {
    sid: `${sendingRates.prefix}${"0".repeat(32)}`,
    key: settingKey,
    ...stamps,
    data: { apply },
  });
}

export function isQueueFull(runtime: TwilioRuntime, sender: string, at: number): boolean {
  if (!ratesApply(runtime)) return false;
  const freeAt = runtime.state.resourceByKey(senderQueue, sender)?.data.freeAt ?? at;
  return freeAt - at >= runtime.clock.paced(longestQueueMs);
}

/** Inside a write: takes the sender's next place. Answers the instant before which the message cannot leave. */
export function takePlace(runtime: TwilioRuntime, sender: string, at: number): number {
  if (!ratesApply(runtime)) return at;
  const known = runtime.state.resourceByKey(senderQueue, sender);
  const place = Math.max(at, known?.data.freeAt ?? at);
  const data = { freeAt: place + runtime.clock.paced(1_000 / perSecond(sender)) };
  if (known) runtime.state.changeResource(senderQueue, { ...known, data });
  else
    runtime.state.addResource(senderQueue, {
      sid: `${senderQueue.prefix}${runtime.ids.fixed("twilio.sender-queue", [sender]).hex(32)}`,
      accountSid: "",
      parent: "",
      key: sender,
      createdAt: at,
      updatedAt: at,
      data,
    });
  return place;
}
