/** Executes the TwiML that an application answers an incoming message with. */
import type { Message } from "../domain/message.ts";
import { billedSegments, isWebhookUrl } from "../domain/message-draft.ts";
import { parseChannel, parseRecipient } from "../domain/phone-numbers.ts";
import type { TwimlElement } from "../domain/twiml.ts";
import type { TwilioRuntime } from "./call.ts";
import { type Answer, askDocument, mostHops, warn } from "./documents.ts";
import { draftedMessage, isOptedOut, keepMessage } from "./message-making.ts";

/** Inside a write. Without verbs there is nothing to do: what went wrong is already written down. */
export function answerMessage(runtime: TwilioRuntime, { request, at, base, verbs }: Answer): void {
  const message = runtime.state.message(request.subject);
  if (!message || !verbs) return;
  for (const verb of verbs) {
    switch (verb.name) {
      case "Message":
      case "Sms":
        reply(runtime, message, verb, base, at);
        break;
      case "Redirect": {
        // A redirect ends the document.
        const url = resolved(verb.text, base);
        if (url === undefined) warn(runtime, message.sid, `Redirect to ${verb.text}`, 11_100);
        else if (request.hops >= mostHops) warn(runtime, message.sid, "documents redirect in a loop", 14_107);
        else
          askDocument(
            runtime,
            { ...request, url, method: verb.attributes.method?.toUpperCase() ?? "POST", hops: request.hops + 1 },
            at,
          );
        return;
      }
      default:
        warn(runtime, message.sid, `<${verb.name}> is no verb of messaging`);
    }
  }
}

function reply(runtime: TwilioRuntime, incoming: Message, verb: TwimlElement, base: string, at: number): void {
  const { accountSid, sid, messagingServiceSid } = incoming;
  const parts = verb.children.filter(({ name }) => name === "Body").map(({ text }) => text);
  const body = parts.length > 0 ? parts.join("") : verb.text;
  const mediaUrls = verb.children
    .filter(({ name }) => name === "Media")
    .flatMap(({ text }) => resolved(text, base) ?? []);
  const recipient = verb.attributes.to ?? incoming.from ?? "";
  const to = parseChannel(recipient)?.value ?? parseRecipient(recipient);
  const from = verb.attributes.from ?? incoming.to;
  if (to === undefined) {
    warn(runtime, sid, `to="${verb.attributes.to}"`, 14_101);
    return;
  }
  if (body === "" && mediaUrls.length === 0) {
    warn(runtime, sid, "a message without a body", 14_103);
    return;
  }
  if (isOptedOut(runtime.state, accountSid, messagingServiceSid ?? from, to)) {
    warn(runtime, sid, `${to} has unsubscribed`, 21_610);
    return;
  }
  const callback = verb.attributes.statusCallback ?? verb.attributes.action;
  const statusCallback = callback === undefined ? undefined : resolved(callback, base);
  if (callback !== undefined && statusCallback === undefined)
    warn(runtime, sid, `statusCallback="${callback}"`, 14_105);
  const draft = {
    to,
    from,
    messagingServiceSid,
    body,
    mediaUrls,
    statusCallback: statusCallback ?? null,
    status: "queued",
    numSegments: billedSegments(to, body, mediaUrls.length),
    sendAt: null,
    validityPeriod: null,
    smartEncoded: false,
  } as const;
  keepMessage(runtime, draftedMessage(runtime, { accountSid, direction: "outbound-reply", at }, draft));
}

/** An absolute URL, whatever the document wrote. A document that was given with the call has no address: its `base` is empty. */
export function resolved(text: string, base: string): string | undefined {
  const url = URL.parse(text.trim(), base === "" ? undefined : base.replace(/#.*$/, ""))?.href;
  return url !== undefined && isWebhookUrl(url) ? url : undefined;
}
