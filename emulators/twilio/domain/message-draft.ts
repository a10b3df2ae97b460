/**
 * From the parameters of `POST Messages` to a message that can be kept, or to the reason why not. Checks stand in the
 * order of the real service: what is missing, then the recipient, then the sender, then everything else.
 */
import type { Problem } from "../errors.ts";
import { type ContentTemplate, renderContent } from "./content.ts";
import type { MessageStatus } from "./message.ts";
import { isChannel, masked, parseChannel, parseRecipient, parseSender } from "./phone-numbers.ts";
import { countSegments } from "./segments.ts";
import { smartEncode } from "./smart-encoding.ts";

/** Parameters as they came; empty ones are undefined. */
export interface MessageParameters {
  readonly to: string | undefined;
  readonly from: string | undefined;
  readonly messagingServiceSid: string | undefined;
  readonly body: string | undefined;
  readonly mediaUrls: readonly string[];
  readonly contentSid: string | undefined;
  readonly contentVariables: string | undefined;
  readonly statusCallback: string | undefined;
  readonly validityPeriod: string | undefined;
  readonly scheduleType: string | undefined;
  readonly sendAt: string | undefined;
  readonly applicationSid: string | undefined;
  readonly smartEncoded: boolean;
}

/** What the sending account has. */
export interface SendingWorld {
  readonly accountSid: string;
  readonly now: number;
  /** A trial account writes to numbers that it has or has verified, and says in every message that it is one. */
  readonly trial: boolean;
  isVerified(number: string): boolean;
  /** The account that sends from an address of another channel. */
  channelOwnerOf(address: string): string | undefined;
  content(sid: string): ContentTemplate | undefined;
  ownerOf(phoneNumber: string): { readonly accountSid: string; readonly sms: boolean } | undefined;
  service(sid: string): ServiceFacts | undefined;
  /** Whether the recipient said STOP to a number or a messaging service. */
  isOptedOut(scope: string, recipient: string): boolean;
  /** Whether as much waits for a sender as may wait. */
  isQueueFull(sender: string): boolean;
  /** Where an application wants to hear of messages, null for nowhere; undefined when there is none of that sid. */
  applicationCallback(sid: string): string | null | undefined;
}

export interface ServiceFacts {
  readonly sid: string;
  readonly statusCallback: string | null;
  /** Seconds. */
  readonly validityPeriod: number;
  readonly senders: readonly string[];
  readonly alphaSender?: string;
}

export interface MessageDraft {
  readonly to: string;
  readonly from: string | null;
  readonly messagingServiceSid: string | null;
  readonly body: string;
  readonly mediaUrls: readonly string[];
  readonly statusCallback: string | null;
  readonly status: Extract<MessageStatus, "queued" | "accepted" | "scheduled">;
  readonly numSegments: number;
  readonly sendAt: number | null;
  /** Seconds, counted from when it could first be sent; null when the client set none. */
  readonly validityPeriod: number | null;
  readonly smartEncoded: boolean;
  /** The template it was made of. */
  readonly contentSid?: string;
}

export type Planned =
  | { readonly tag: "draft"; readonly draft: MessageDraft }
  | { readonly tag: "rejected"; readonly problem: Problem };

const longestBody = 1_600;
const mostMedia = 10;
const longestUrl = 4_000;
const longestValidity = 36_000;
const soonestSendMs = 300_000;
const latestSendMs = 3_024_000_000;

const trialMark = "Sent from your Twilio trial account - ";

export function planMessage(sent: MessageParameters, world: SendingWorld): Planned {
  const parameters = withContent(sent, world);
  if ("name" in parameters) return rejected(parameters);
  const incomplete = whatIsMissing(parameters);
  if (incomplete) return rejected(incomplete);
  const given = parameters.to ?? "";
  const to = parseChannel(given)?.value ?? parseRecipient(given);
  if (to === undefined) return rejected({ name: "invalidTo", values: [masked(given)] });
  if (world.trial && !world.isVerified(to.replace(/^\w+:/, "")))
    return rejected({ name: "unverifiedTo", values: [masked(to)] });
  const serviceSid = serviceSidOf(parameters);
  const service = serviceSid === undefined ? undefined : world.service(serviceSid);
  if (serviceSid !== undefined) {
    if (!/^MG[0-9a-fA-F]{32}$/.test(serviceSid)) return rejected({ name: "invalidServiceSid" });
    if (!service) return rejected({ name: "serviceUnknown", values: [serviceSid] });
    if (service.senders.length === 0 && service.alphaSender === undefined)
      return rejected({ name: "serviceWithoutSenders" });
  }
  const sender = chooseFrom(parameters, service, to, world);
  if (typeof sender === "object" && sender !== null) return rejected(sender);
  if (world.isOptedOut(service?.sid ?? sender ?? "", to)) return rejected({ name: "unsubscribed" });
  if (sender !== null && world.isQueueFull(sender)) return rejected({ name: "queueOverflow", values: [sender] });
  const application =
    parameters.applicationSid === undefined ? null : world.applicationCallback(parameters.applicationSid);
  if (application === undefined)
    return rejected({ name: "invalidParameter", values: ["ApplicationSid", parameters.applicationSid ?? ""] });
  const schedule = scheduleOf(parameters, service, world.now);
  const problem = optionProblem(parameters) ?? (typeof schedule === "object" ? (schedule ?? undefined) : undefined);
  if (problem) return rejected(problem);
  const body = `${world.trial ? trialMark : ""}${parameters.body ?? ""}`;
  const sendAt = typeof schedule === "number" ? schedule : null;
  return {
    tag: "draft",
    draft: {
      to,
      from: sender,
      messagingServiceSid: service?.sid ?? null,
      body,
      mediaUrls: parameters.mediaUrls,
      statusCallback: parameters.statusCallback ?? application ?? service?.statusCallback ?? null,
      status: sendAt !== null ? "scheduled" : service ? "accepted" : "queued",
      // A service counts when it has chosen the sender.
      numSegments: service ? 0 : billedSegments(to, body, parameters.mediaUrls.length, parameters.smartEncoded),
      sendAt,
      validityPeriod:
        parameters.validityPeriod === undefined ? (service?.validityPeriod ?? null) : Number(parameters.validityPeriod),
      smartEncoded: parameters.smartEncoded,
      ...(parameters.contentSid === undefined ? {} : { contentSid: parameters.contentSid }),
    },
  };
}

/** A template takes the place of body and media. https://www.twilio.com/docs/api/errors/21654 */
function withContent(parameters: MessageParameters, world: SendingWorld): MessageParameters | Problem {
  const { contentSid, contentVariables } = parameters;
  if (contentSid === undefined || parameters.to === undefined) return parameters;
  if (!/^HX[0-9a-fA-F]{32}$/.test(contentSid)) return { name: "invalidContentSid", values: [contentSid] };
  const template = world.content(contentSid);
  if (!template) return { name: "contentMissing", values: [contentSid] };
  const rendered = renderContent(template, contentVariables);
  if ("name" in rendered) return rendered;
  return { ...parameters, body: rendered.body || undefined, mediaUrls: rendered.mediaUrls };
}

export function segmentsOf(body: string, numMedia: number, smart = false): number {
  return numMedia > 0 ? 1 : countSegments(smart ? smartEncode(body) : body);
}

/** The same by recipient: other channels than SMS have no segments. */
export function billedSegments(to: string, body: string, numMedia: number, smart = false): number {
  return isChannel(to) ? 1 : segmentsOf(body, numMedia, smart);
}

function rejected(problem: Problem): Planned {
  return { tag: "rejected", problem };
}

/** The service may be named in either parameter. https://www.twilio.com/docs/api/errors/35118 */
function serviceSidOf({ from, messagingServiceSid }: MessageParameters): string | undefined {
  return messagingServiceSid ?? (from !== undefined && /^MG[0-9a-fA-F]{32}$/.test(from) ? from : undefined);
}

export function whatIsMissing(parameters: MessageParameters): Problem | undefined {
  if (parameters.to === undefined) return { name: "toMissing" };
  if (parameters.from === undefined && parameters.messagingServiceSid === undefined) return { name: "fromMissing" };
  if (parameters.body === undefined && parameters.mediaUrls.length === 0) return { name: "bodyMissing" };
  if (
    parameters.body !== undefined &&
    parameters.body.length > longestBody &&
    [...parameters.body].length > longestBody
  )
    return { name: "bodyTooLong" };
  return undefined;
}

/** The sender, null when a messaging service will choose one, or what is wrong with the one that was given. */
function chooseFrom(
  { from, messagingServiceSid }: MessageParameters,
  service: ServiceFacts | undefined,
  to: string,
  world: SendingWorld,
): string | null | Problem {
  if (from === undefined || (service && messagingServiceSid === undefined))
    return isChannel(to) ? { name: "noChannel" } : null;
  const sender = parseSender(from);
  if (isChannel(to) !== (sender.tag === "channel")) return { name: "mixedChannels" };
  switch (sender.tag) {
    case "channel": {
      const address = parseChannel(sender.value)?.value;
      const owner = address === undefined ? undefined : world.channelOwnerOf(address);
      return address !== undefined && owner === world.accountSid ? address : { name: "noChannel" };
    }
    case "invalid":
      return { name: "invalidFrom", values: [from] };
    case "alphanumeric":
      // The United States and Canada take no alphanumeric senders.
      return to.startsWith("+1") ? { name: "unroutable", values: [masked(to), sender.value] } : sender.value;
    case "shortCode":
    case "number": {
      const { value } = sender;
      if (value === to) return { name: "invalidTo", values: [masked(to)] };
      const owner = world.ownerOf(value);
      if (!owner) return { name: "fromUnknown", values: [value] };
      if (owner.accountSid !== world.accountSid) return { name: "fromOfAnother", values: [value, world.accountSid] };
      if (!owner.sms) return { name: "fromNotCapable", values: [value] };
      if (service && !service.senders.includes(value)) return { name: "senderNotInService" };
      return value;
    }
  }
}

function optionProblem(parameters: MessageParameters): Problem | undefined {
  const { statusCallback, mediaUrls, validityPeriod } = parameters;
  if (statusCallback !== undefined && !isWebhookUrl(statusCallback))
    return { name: "invalidStatusCallback", values: [statusCallback] };
  if (mediaUrls.length > mostMedia) return { name: "tooManyMedia" };
  const badMedia = mediaUrls.find((url) => !isWebhookUrl(url));
  if (badMedia !== undefined) return { name: "invalidMediaUrl", values: [badMedia] };
  if (validityPeriod !== undefined && !isValidity(validityPeriod))
    return { name: "invalidValidityPeriod", values: [validityPeriod] };
  return undefined;
}

function isValidity(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= longestValidity;
}

/** An absolute http or https URL whose host has no underscore. https://www.twilio.com/docs/api/errors/21609 */
export function isWebhookUrl(text: string): boolean {
  if (text.length > longestUrl || !/^https?:\/\//i.test(text)) return false;
  const url = URL.parse(text);
  return url !== null && url.hostname !== "" && !url.hostname.includes("_");
}

/** The instant to send at, undefined when the message is not scheduled, or what is wrong with the request for it. */
function scheduleOf(
  { scheduleType, sendAt }: MessageParameters,
  service: ServiceFacts | undefined,
  now: number,
): number | undefined | Problem {
  if (scheduleType === undefined) return undefined;
  if (scheduleType !== "fixed") return { name: "scheduleTypeUnsupported" };
  if (!service) return { name: "scheduleWithoutService" };
  if (sendAt === undefined) return { name: "sendAtMissing" };
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(sendAt)) return { name: "sendAtMalformed" };
  const at = Date.parse(sendAt);
  if (Number.isNaN(at)) return { name: "sendAtMalformed" };
  if (at < now + soonestSendMs) return { name: "sendAtTooSoon" };
  if (at > now + latestSendMs) return { name: "sendAtTooLate" };
  return at;
}
