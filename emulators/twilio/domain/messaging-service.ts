/** The parameters of a messaging service, with Twilio's defaults, and whom of its pool it sends with. */
import type { MessagingServiceData } from "../kinds.ts";
import { countryOf } from "./countries.ts";
import { choice, flag, method, type Parameters, required, text, url, whole } from "./parameters.ts";

export const messagingServiceParameters: Parameters<MessagingServiceData> = {
  FriendlyName: required(text("", 64)),
  InboundRequestUrl: url(null),
  InboundMethod: method("POST"),
  FallbackUrl: url(null),
  FallbackMethod: method("POST"),
  StatusCallback: url(null),
  StickySender: flag(true),
  MmsConverter: flag(true),
  SmartEncoding: flag(true),
  ScanMessageContent: choice(["inherit", "enable", "disable"], "inherit"),
  FallbackToLongCode: flag(true),
  AreaCodeGeomatch: flag(true),
  SynchronousValidation: flag(false),
  ValidityPeriod: whole(36_000, 1, 36_000),
  Usecase: choice(["notifications", "marketing", "verification", "discussion", "poll", "undeclared"], "undeclared"),
  UseInboundWebhookOnNumber: flag(false),
};

/**
 * Of the pool, those nearest to a recipient: numbers of its country, of those the ones of its area code when the service
 * matches area codes. Where none is near, all are. https://www.twilio.com/docs/messaging/services#area-code-geomatch
 */
export function nearestSenders(senders: readonly string[], to: string, matchAreaCode: boolean): readonly string[] {
  const country = countryOf(to)?.iso;
  const same = senders.filter((sender) => countryOf(sender)?.iso === country);
  const areaCode = /^\+1\d{3}/.exec(to)?.[0];
  const near = matchAreaCode && areaCode !== undefined ? same.filter((sender) => sender.startsWith(areaCode)) : [];
  return [near, same].find(({ length }) => length > 0) ?? senders;
}
