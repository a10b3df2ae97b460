/** The parameters of a messaging service, with Twilio's defaults. */
import type { MessagingServiceData } from "../kinds.ts";
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
