/** The Enqueue verb: a call waits in a queue until somebody takes it out, it leaves, or it hangs up. */
import type { Script, Waiting } from "../domain/call.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { member } from "../kinds.ts";
import type { TwilioRuntime } from "./call.ts";
import { keepCall, type PhoneCall } from "./call-life.ts";
import { follow, runVerbs } from "./call-script.ts";
import { joinQueue, leaveQueue, queueNamed } from "./gatherings.ts";

export function enqueue(runtime: TwilioRuntime, call: PhoneCall, next: Script, verb: TwimlElement, at: number): void {
  const queue = queueNamed(runtime, call.accountSid, verb.text === "" ? "default" : verb.text, at);
  const waiting = { tag: "queue", enqueue: verb, queue: queue.sid, since: at } as const;
  if (runtime.state.countResources(member, queue.sid) >= queue.data.MaxSize) {
    outOfQueue(runtime, call, next, waiting, "queue-full", at);
    return;
  }
  joinQueue(runtime, queue.sid, call.accountSid, call.sid, at);
  runtime.timers.cancel("twilio.call", call.sid);
  keepCall(runtime, call, { script: { ...next, waiting } }, at);
}

/** With an action the application hears why; without one the next verb follows. */
export function outOfQueue(
  runtime: TwilioRuntime,
  call: PhoneCall,
  script: Script,
  waiting: Extract<Waiting, { tag: "queue" }>,
  result: "bridged" | "queue-full" | "leave" | "redirected",
  at: number,
): void {
  leaveQueue(runtime, call.sid);
  const rest = { ...script, waiting: null };
  const { action, method } = waiting.enqueue.attributes;
  if (action === undefined) {
    runVerbs(runtime, call, rest, at);
    return;
  }
  const time = String(Math.round((at - waiting.since) / 1_000));
  follow(
    runtime,
    call,
    rest,
    action,
    method,
    [
      ["QueueResult", result],
      ["QueueSid", waiting.queue],
      ["QueueTime", time],
    ],
    at,
  );
}
