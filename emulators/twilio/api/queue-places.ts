/** Who waits in a queue, and who waits at it. All inside writes. */
import { member, type QueueData, queue, queueServer } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import type { TwilioRuntime } from "./call.ts";

/** The queue of that name, made when it is first used. */
export function queueNamed(runtime: TwilioRuntime, accountSid: string, name: string, at: number): Resource<QueueData> {
  const known = runtime.state.resourceByKey(queue, `${accountSid}/${name}`);
  if (known) return known;
  const made: Resource<QueueData> = {
    sid: `QU${runtime.ids.derive("twilio.queue", [accountSid, name]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: `${accountSid}/${name}`,
    createdAt: at,
    updatedAt: at,
    data: { FriendlyName: name, MaxSize: 100 },
  };
  runtime.state.addResource(queue, made);
  return made;
}

/** As somebody who waits to be served, or who waits to serve. */
export function joinQueue(
  runtime: TwilioRuntime,
  as: typeof member | typeof queueServer,
  queueSid: string,
  call: { readonly sid: string; readonly accountSid: string },
  at: number,
): void {
  runtime.state.addResource(as, {
    sid: `${as.prefix}${runtime.ids.derive(`twilio.${as.name}`, [queueSid, call.sid]).hex(32)}`,
    accountSid: call.accountSid,
    parent: queueSid,
    key: call.sid,
    createdAt: at,
    updatedAt: at,
    data: { callSid: call.sid },
  });
}

export function leaveQueue({ state }: TwilioRuntime, callSid: string): void {
  for (const kind of [member, queueServer]) {
    const waiting = state.resourceByKey(kind, callSid);
    if (waiting) state.removeResource(kind, waiting.sid);
  }
}
