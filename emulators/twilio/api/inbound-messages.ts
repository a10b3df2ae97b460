/** A message comes in: it is kept, keywords take effect, and the application is asked what to answer. */
import type { Message } from "../domain/message.ts";
import { billedSegments, segmentsOf } from "../domain/message-draft.ts";
import { autoReplies, keywordOf, optOutKey } from "../domain/opt-out.ts";
import { isChannel, parseChannel } from "../domain/phone-numbers.ts";
import { application, channelSender, messagingService, optOut, phoneNumber, poolNumber, shortCode } from "../kinds.ts";
import { inboundParameters } from "../wire/inbound.ts";
import type { TwilioRuntime } from "./call.ts";
import { sayFromTelephone } from "./conversation-messages.ts";
import { askDocument, type DocumentRequest } from "./documents.ts";
import { tellMessage } from "./message-life.ts";
import { draftedMessage, keepMedia, keepMessage } from "./message-making.ts";

export interface Incoming {
  readonly from: string;
  readonly to: string;
  readonly body: string;
  readonly mediaUrls: readonly string[];
  readonly at: number;
}

type Route = Pick<DocumentRequest, "url" | "method" | "fallbackUrl" | "fallbackMethod">;

/** Inside a write. Undefined when no active account has the number. */
export function receiveMessage(runtime: TwilioRuntime, incoming: Incoming): Message | undefined {
  const { state } = runtime;
  const { from, to, body, mediaUrls, at } = incoming;
  const number = isChannel(to)
    ? state.resourceByKey(channelSender, to)
    : (state.resourceByKey(phoneNumber, to) ?? state.resourceByKey(shortCode, to));
  if (!number || state.account(number.accountSid)?.status !== "active") return undefined;
  const { accountSid } = number;
  const serviceSid = state.resourceByKey(poolNumber, to)?.parent ?? null;
  const draft = {
    to,
    from,
    messagingServiceSid: serviceSid,
    body,
    mediaUrls,
    statusCallback: null,
    status: "queued",
    numSegments: billedSegments(to, body, mediaUrls.length),
    sendAt: null,
    validityPeriod: null,
    smartEncoded: false,
  } as const;
  const drafted = draftedMessage(runtime, { accountSid, direction: "inbound", at }, draft);
  const message: Message = {
    ...drafted,
    status: "received",
    sentAt: at,
    price: 0 - 750 * drafted.numSegments,
    billedAt: at,
  };
  state.addMessage(message);
  if (mediaUrls.length > 0) keepMedia(runtime, message);
  tellMessage(runtime, message);
  const keyword = isChannel(to) ? undefined : obeyKeyword(runtime, message);
  // Whoever takes part in a conversation speaks there, and no URL of the number is asked.
  if (sayFromTelephone(runtime, message)) return message;
  // A sender of another channel has no URLs of its own here: those of its number hold.
  const route = routeOf(runtime, parseChannel(to)?.number ?? to, serviceSid);
  if (route)
    askDocument(
      runtime,
      {
        ...route,
        purpose: "message",
        subject: message.sid,
        accountSid,
        parameters: inboundParameters(message, mediaOf(runtime, message), serviceSid === null ? undefined : keyword),
        hops: 0,
      },
      at,
    );
  return message;
}

/** STOP and START hold for the pair of numbers, and for the whole messaging service the number belongs to. */
function obeyKeyword(runtime: TwilioRuntime, message: Message): string | undefined {
  const keyword = keywordOf(message.body);
  if (keyword === undefined) return undefined;
  const { state } = runtime;
  const { accountSid, to, from, messagingServiceSid, createdAt } = message;
  const recipient = from ?? "";
  for (const scope of messagingServiceSid === null ? [to] : [to, messagingServiceSid]) {
    const key = optOutKey(accountSid, scope, recipient);
    const known = state.resourceByKey(optOut, key);
    if (keyword === "START" && known) state.removeResource(optOut, known.sid);
    if (keyword === "STOP" && !known)
      state.addResource(optOut, {
        sid: `${optOut.prefix}${runtime.ids.fixed("twilio.opt-out", [key]).hex(32)}`,
        accountSid,
        parent: accountSid,
        key,
        createdAt,
        updatedAt: createdAt,
        data: { recipient, sender: scope },
      });
  }
  const body = autoReplies[keyword];
  const reply = draftedMessage(
    runtime,
    { accountSid, direction: "outbound-reply", at: createdAt },
    {
      to: recipient,
      from: to,
      messagingServiceSid,
      body,
      mediaUrls: [],
      statusCallback: null,
      status: "queued",
      numSegments: segmentsOf(body, 0),
      sendAt: null,
      validityPeriod: null,
      smartEncoded: false,
    },
  );
  keepMessage(runtime, reply);
  return keyword;
}

function mediaOf({ ids }: TwilioRuntime, message: Message): readonly { sid: string; source: string }[] {
  const sources: readonly string[] = JSON.parse(message.mediaUrls ?? "[]");
  return sources.map((source, index) => ({
    sid: `ME${ids.fixed("twilio.media", [message.sid, index]).hex(32)}`,
    source,
  }));
}

/** The number's application, then its messaging service, then its own URL. */
function routeOf({ state }: TwilioRuntime, to: string, serviceSid: string | null): Route | undefined {
  const number = state.resourceByKey(phoneNumber, to)?.data;
  const app =
    number && number.SmsApplicationSid !== "" ? state.resource(application, number.SmsApplicationSid) : undefined;
  if (app) return ownRoute(app.data);
  const service = serviceSid === null ? undefined : state.resource(messagingService, serviceSid)?.data;
  if (!service || service.UseInboundWebhookOnNumber) return number && ownRoute(number);
  if (service.InboundRequestUrl === null || service.InboundRequestUrl === "") return undefined;
  return {
    url: service.InboundRequestUrl,
    method: service.InboundMethod,
    fallbackUrl: service.FallbackUrl,
    fallbackMethod: service.FallbackMethod,
  };
}

function ownRoute(data: {
  readonly SmsUrl: string;
  readonly SmsMethod: string;
  readonly SmsFallbackUrl: string;
  readonly SmsFallbackMethod: string;
}): Route | undefined {
  if (data.SmsUrl === "") return undefined;
  return {
    url: data.SmsUrl,
    method: data.SmsMethod,
    fallbackUrl: data.SmsFallbackUrl || null,
    fallbackMethod: data.SmsFallbackMethod,
  };
}
