/** Makes messages: the rows, their media and their first step, whoever asked for them. */

import { contentTypeOf } from "../domain/media-type.ts";
import type { Message, MessageDirection } from "../domain/message.ts";
import type { MessageDraft } from "../domain/message-draft.ts";
import { optOutKey } from "../domain/opt-out.ts";
import { media, messageContent, optOut } from "../kinds.ts";
import type { TwilioState } from "../store.ts";
import type { TwilioRuntime } from "./call.ts";
import { beginLife } from "./message-life.ts";

export interface MessageOrigin {
  readonly accountSid: string;
  readonly direction: MessageDirection;
  readonly at: number;
}

/** A message as it will be kept. Counts as one more of its content. */
export function draftedMessage(
  runtime: TwilioRuntime,
  { accountSid, direction, at }: MessageOrigin,
  draft: MessageDraft,
): Message {
  const { to, from, messagingServiceSid, body, mediaUrls, validityPeriod } = draft;
  const content = [accountSid, to, from ?? messagingServiceSid, body, ...mediaUrls];
  const hex = runtime.ids.derive("twilio.message", content).hex(32);
  return {
    sid: `${mediaUrls.length > 0 ? "MM" : "SM"}${hex}`,
    accountSid,
    direction,
    from,
    to,
    body,
    numSegments: draft.numSegments,
    numMedia: mediaUrls.length,
    mediaUrls: mediaUrls.length > 0 ? JSON.stringify(mediaUrls) : null,
    status: draft.status,
    errorCode: null,
    price: null,
    billedAt: null,
    messagingServiceSid,
    statusCallback: draft.statusCallback,
    validUntil: validityPeriod === null ? null : (draft.sendAt ?? at) + validityPeriod * 1_000,
    sendAt: draft.sendAt,
    smartEncoded: draft.smartEncoded ? 1 : 0,
    createdAt: at,
    updatedAt: at,
    sentAt: null,
  };
}

/** Inside a write: keeps the message with its media and begins its life. */
export function keepMessage(runtime: TwilioRuntime, message: Message, contentSid?: string): void {
  runtime.state.addMessage(message);
  if (contentSid !== undefined) {
    const { sid, accountSid, createdAt } = message;
    const stamps = { accountSid, parent: sid, key: null, createdAt, updatedAt: createdAt };
    runtime.state.addResource(messageContent, { sid, ...stamps, data: { contentSid } });
  }
  if (message.mediaUrls !== null) keepMedia(runtime, message);
  beginLife(runtime, message);
}

export function keepMedia(runtime: TwilioRuntime, message: Message): void {
  const sources: readonly string[] = JSON.parse(message.mediaUrls ?? "[]");
  for (const [index, source] of sources.entries())
    runtime.state.addResource(media, {
      sid: `ME${runtime.ids.fixed("twilio.media", [message.sid, index]).hex(32)}`,
      accountSid: message.accountSid,
      parent: message.sid,
      key: null,
      createdAt: message.createdAt,
      updatedAt: message.createdAt,
      data: { contentType: contentTypeOf(source), source },
    });
}

/** Whether `recipient` said STOP to the number or to the service. */
export function isOptedOut(state: TwilioState, accountSid: string, scope: string, recipient: string): boolean {
  return state.resourceByKey(optOut, optOutKey(accountSid, scope, recipient)) !== undefined;
}
