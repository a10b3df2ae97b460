/**
 * The Enqueue verb: a call waits in a queue until somebody takes it out, it leaves, or it hangs up. Meanwhile it hears what its
 * waitUrl says, over and over.
 */
import type { Queued, Script, Waiting } from "../domain/call.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import { call as callKind, member, queueServer } from "../kinds.ts";
import type { TwilioRuntime } from "./call.ts";
import { keepCall, type PhoneCall } from "./call-life.ts";
import { askNext, follow, runVerbs } from "./call-script.ts";
import { serve } from "./call-service.ts";
import { forgetDocument } from "./documents.ts";
import { resolved } from "./message-replies.ts";
import { joinQueue, leaveQueue, queueNamed } from "./queue-places.ts";

export function enqueue(runtime: TwilioRuntime, call: PhoneCall, next: Script, verb: TwimlElement, at: number): void {
  const queue = queueNamed(runtime, call.accountSid, verb.text === "" ? "default" : verb.text, at);
  const waiting = { tag: "queue", enqueue: verb, queue: queue.sid, since: at } as const;
  if (runtime.state.countResources(member, queue.sid) >= queue.data.MaxSize) {
    outOfQueue(runtime, call, next, waiting, "queue-full", at);
    return;
  }
  const server = runtime.state.firstResource(queueServer, queue.sid);
  const serving = server && runtime.state.resource(callKind, server.data.callSid);
  if (serving) {
    serve(runtime, serving, call, { waiting, rest: next }, at);
    return;
  }
  joinQueue(runtime, member, queue.sid, call, at);
  const { waitUrl, waitUrlMethod } = verb.attributes;
  const url = waitUrl === undefined ? undefined : resolved(waitUrl, next.base);
  if (url === undefined) waitSilently(runtime, call, { waiting, rest: next }, at);
  else
    listen(
      runtime,
      call,
      { waiting, rest: next, url, method: waitUrlMethod?.toUpperCase() ?? "POST", askedAt: at },
      at,
    );
}

export type Wait = Pick<Queued, "waiting" | "rest">;

/** The queue a call waits in, whatever it listens to meanwhile. */
export function waitOf(script: Script | null | undefined): Wait | undefined {
  if (script?.queued) return script.queued;
  return script?.waiting?.tag === "queue" ? { waiting: script.waiting, rest: script } : undefined;
}

/** The document has been heard to its end: it is asked for again, unless it took no time, which would have no end. */
export function heardOut(runtime: TwilioRuntime, call: PhoneCall, queued: Queued, at: number): void {
  if (at > queued.askedAt) listen(runtime, call, { ...queued, askedAt: at }, at);
  else waitSilently(runtime, call, queued, at);
}

export function waitSilently(runtime: TwilioRuntime, call: PhoneCall, { waiting, rest }: Wait, at: number): void {
  runtime.timers.cancel("twilio.call", call.sid);
  keepCall(runtime, call, { script: { ...rest, waiting } }, at);
}

function listen(runtime: TwilioRuntime, call: PhoneCall, queued: Queued, at: number): void {
  const { waiting, rest, url, method } = queued;
  const members = runtime.state.resourcesOf(member, waiting.queue);
  const position = members.length - members.findIndex(({ data }) => data.callSid === call.sid);
  const waits = members.map(({ createdAt }) => (at - createdAt) / 1_000);
  const average = waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length);
  const parameters = [
    ["QueueSid", waiting.queue],
    ["QueuePosition", String(position)],
    ["QueueTime", String(secondsSince(waiting.since, at))],
    ["AvgQueueTime", String(Math.round(average))],
    ["CurrentQueueSize", String(members.length)],
  ] as const;
  askNext(runtime, call, { url, method, parameters, hops: rest.hops, queued }, at);
}

/** With an action the application hears why; without one the next verb follows. */
export function outOfQueue(
  runtime: TwilioRuntime,
  call: PhoneCall,
  script: Script,
  waiting: Extract<Waiting, { tag: "queue" }>,
  result: "queue-full" | "leave",
  at: number,
): void {
  leaveQueue(runtime, call.sid);
  runtime.timers.cancel("twilio.call", call.sid);
  forgetDocument(runtime, call.sid);
  const rest = { ...script, waiting: null };
  const { action, method } = waiting.enqueue.attributes;
  if (action === undefined) {
    runVerbs(runtime, call, rest, at);
    return;
  }
  follow(runtime, call, rest, action, method, queueResult(result, waiting.queue, secondsSince(waiting.since, at)), at);
}

export function queueResult(
  result: "bridged" | "queue-full" | "leave" | "redirected" | "hangup",
  queueSid: string,
  seconds: number,
): readonly (readonly [string, string])[] {
  return [
    ["QueueResult", result],
    ["QueueSid", queueSid],
    ["QueueTime", String(seconds)],
  ];
}

export function secondsSince(instant: number, at: number): number {
  return Math.round((at - instant) / 1_000);
}
