/**
 * The kinds of resources that the emulator keeps besides accounts and messages. A member in Pascal case is a parameter of the
 * provider under its own name; one in camel case is the emulator's own.
 */
import type { CallData } from "./domain/call.ts";
import { kind } from "./store-resources.ts";

export interface Secret {
  readonly FriendlyName: string;
  readonly secret: string;
  /** A main key may do what the auth token may; any other may not manage accounts and keys. */
  readonly isMain: boolean;
}
export const apiKey = kind<Secret>("key", "SK");
export const signingKey = kind<Secret>("signing-key", "SK");

export interface OauthApp {
  readonly FriendlyName: string;
  readonly secret: string;
}
export const oauthApp = kind<OauthApp>("oauth-app", "OQ");

/** Where calls and messages of a number or an application lead. */
export interface VoiceAndSms {
  readonly FriendlyName: string;
  readonly ApiVersion: string;
  readonly VoiceUrl: string;
  readonly VoiceMethod: string;
  readonly VoiceFallbackUrl: string;
  readonly VoiceFallbackMethod: string;
  readonly VoiceCallerIdLookup: boolean;
  readonly StatusCallback: string;
  readonly StatusCallbackMethod: string;
  readonly SmsUrl: string;
  readonly SmsMethod: string;
  readonly SmsFallbackUrl: string;
  readonly SmsFallbackMethod: string;
}

export interface PhoneNumberSettings extends VoiceAndSms {
  readonly SmsApplicationSid: string;
  readonly VoiceApplicationSid: string;
  readonly AddressSid: string | null;
  readonly BundleSid: string | null;
  readonly IdentitySid: string | null;
  readonly TrunkSid: string | null;
  readonly EmergencyStatus: string;
  readonly EmergencyAddressSid: string | null;
  readonly VoiceReceiveMode: string;
}

export type NumberType = "local" | "mobile" | "toll-free";

export interface PhoneNumberData extends PhoneNumberSettings {
  readonly PhoneNumber: string;
  readonly type: NumberType;
  readonly capabilities: {
    readonly voice: boolean;
    readonly sms: boolean;
    readonly mms: boolean;
    readonly fax: boolean;
  };
}
export const phoneNumber = kind<PhoneNumberData>("phone-number", "PN");

export interface ShortCodeData {
  readonly ShortCode: string;
}
export const shortCode = kind<ShortCodeData>("short-code", "SC");

export interface ApplicationData extends VoiceAndSms {
  readonly SmsStatusCallback: string;
  readonly MessageStatusCallback: string;
  readonly PublicApplicationConnectEnabled: boolean;
}
export const application = kind<ApplicationData>("application", "AP");

export interface CallerIdData {
  readonly FriendlyName: string;
  readonly PhoneNumber: string;
}
export const callerId = kind<CallerIdData>("outgoing-caller-id", "PN");

/** A number that is being validated: the key is the call that does it. */
export interface ValidationData extends CallerIdData {
  readonly StatusCallback: string;
  readonly StatusCallbackMethod: string;
}
export const validation = kind<ValidationData>("caller-id-validation", "XA");

export interface AddressData {
  readonly CustomerName: string;
  readonly Street: string;
  readonly City: string;
  readonly Region: string;
  readonly PostalCode: string;
  readonly IsoCountry: string;
  readonly FriendlyName: string;
  readonly EmergencyEnabled: boolean;
  readonly StreetSecondary: string | null;
}
export const address = kind<AddressData>("address", "AD");

export interface MessagingServiceData {
  readonly FriendlyName: string;
  readonly InboundRequestUrl: string | null;
  readonly InboundMethod: string;
  readonly FallbackUrl: string | null;
  readonly FallbackMethod: string;
  readonly StatusCallback: string | null;
  readonly StickySender: boolean;
  readonly MmsConverter: boolean;
  readonly SmartEncoding: boolean;
  readonly ScanMessageContent: string;
  readonly FallbackToLongCode: boolean;
  readonly AreaCodeGeomatch: boolean;
  readonly SynchronousValidation: boolean;
  /** Seconds. */
  readonly ValidityPeriod: number;
  readonly Usecase: string;
  readonly UseInboundWebhookOnNumber: boolean;
}
export const messagingService = kind<MessagingServiceData>("messaging-service", "MG");

/** A number in the pool of a messaging service: its sid is the number's own, its key too, its parent the service. */
export interface SenderData {
  readonly PhoneNumber: string;
}
export const poolNumber = kind<SenderData>("pool-number", "PN");
export const poolShortCode = kind<SenderData>("pool-short-code", "SC");
export const poolAlpha = kind<SenderData>("pool-alpha", "AI");

export interface VerifyServiceData {
  readonly FriendlyName: string;
  readonly CodeLength: number;
  readonly LookupEnabled: boolean;
  readonly SkipSmsToLandlines: boolean;
  readonly DtmfInputRequired: boolean;
  readonly TtsName: string | null;
  readonly Psd2Enabled: boolean;
  readonly DoNotShareWarningEnabled: boolean;
  readonly CustomCodeEnabled: boolean;
  readonly DefaultTemplateSid: string | null;
  readonly VerifyEventSubscriptionEnabled: boolean;
  readonly "Push.IncludeDate": boolean;
  readonly "Push.ApnCredentialSid": string | null;
  readonly "Push.FcmCredentialSid": string | null;
  readonly "Totp.Issuer": string;
  readonly "Totp.TimeStep": number;
  readonly "Totp.CodeLength": number;
  readonly "Totp.Skew": number;
  readonly "Whatsapp.MsgServiceSid": string | null;
  readonly "Whatsapp.From": string | null;
}
export const verifyService = kind<VerifyServiceData>("verify-service", "VA");

export type VerificationStatus = "pending" | "approved" | "canceled" | "max_attempts_reached" | "expired";

export interface VerificationData {
  readonly To: string;
  readonly Channel: string;
  readonly Amount: string | null;
  readonly Payee: string | null;
  readonly Locale: string | null;
  readonly code: string;
  readonly status: VerificationStatus;
  readonly checks: number;
  readonly expiresAt: number;
  readonly sends: readonly { readonly at: number; readonly channel: string; readonly attemptSid: string }[];
}
export const verification = kind<VerificationData>("verification", "VE");

export interface AttemptData {
  readonly serviceSid: string;
  readonly verificationSid: string;
  readonly channel: string;
  readonly to: string;
  readonly country: string;
  readonly codeLength: number;
  readonly locale: string;
  readonly converted: boolean;
}
export const attempt = kind<AttemptData>("verification-attempt", "VL");

export interface ContentData {
  readonly friendlyName: string | null;
  readonly language: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly types: Readonly<Record<string, unknown>>;
}
export const content = kind<ContentData>("content", "HX");

/** Which template a message was made of; one per message, under the message's sid. */
export const messageContent = kind<{ readonly contentSid: string }>("message-content", "SM");

/** A sender of another channel; its key is its address with the channel, `whatsapp:+12025550100`. */
export interface ChannelSenderData {
  readonly address: string;
}
export const channelSender = kind<ChannelSenderData>("channel-sender", "XE");

export interface MediaData {
  readonly contentType: string;
  readonly source: string;
}
export const media = kind<MediaData>("media", "ME");

export interface FeedbackData {
  readonly Outcome: string;
}
/** One per message, under the message's sid. */
export const feedback = kind<FeedbackData>("message-feedback", "SM");

/** A recipient who sent STOP; the key is who may not send to whom, the parent the account. */
export interface OptOutData {
  readonly recipient: string;
  readonly sender: string;
}
export const optOut = kind<OptOutData>("opt-out", "OO");

export const call = kind<CallData>("call", "CA");

export interface RecordingData {
  readonly callSid: string;
  readonly conferenceSid: string | null;
  readonly startedAt: number;
  /** Null until it is completed. */
  readonly seconds: number | null;
  readonly channels: number;
  readonly source: string;
  readonly status: "in-progress" | "paused" | "stopped" | "processing" | "completed" | "absent";
  readonly track: string;
  readonly statusCallback: string | null;
  readonly statusCallbackMethod: string;
  readonly events: readonly string[];
}
/** Its parent is the account, its key the call. */
export const recording = kind<RecordingData>("recording", "RE");

/** Who hears of a conference's events, and of which: `start`, `join` and so on. */
export interface ConferenceListener {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly events: readonly string[];
}

export interface ConferenceData {
  readonly FriendlyName: string;
  readonly status: "init" | "in-progress" | "completed";
  readonly reason: string | null;
  readonly endedBy: string | null;
  readonly listener: ConferenceListener | null;
  /** Of the last event that was told. */
  readonly sequence: number;
  /** Whether two have been in it who heard each other. */
  readonly hasStarted: boolean;
}
export const conference = kind<ConferenceData>("conference", "CF");

export interface ParticipantData {
  readonly callSid: string;
  readonly Label: string | null;
  readonly Muted: boolean;
  readonly Hold: boolean;
  readonly Coaching: boolean;
  readonly CallSidToCoach: string | null;
  readonly StartConferenceOnEnter: boolean;
  readonly EndConferenceOnExit: boolean;
}
/** Under its own internal sid; parent is the conference, key the call. */
export const participant = kind<ParticipantData>("participant", "XP");

export interface QueueData {
  readonly FriendlyName: string;
  readonly MaxSize: number;
}
export const queue = kind<QueueData>("queue", "QU");

export interface MemberData {
  readonly callSid: string;
}
/** A call that waits in a queue: parent is the queue, key the call. */
export const member = kind<MemberData>("queue-member", "XM");

/** What a message, call or recording that was deleted has used: logs forget, bills do not. Its parent is the account. */
export interface PastUsageData {
  readonly of: "sms" | "mms" | "calls" | "recordings";
  readonly inbound: boolean;
  /** Segments, messages or minutes, as the category counts. */
  readonly usage: number;
  /** Hundred-thousandths of a US dollar, negative as charges are. */
  readonly price: number;
}
export const pastUsage = kind<PastUsageData>("past-usage", "XU");

/** A call that waits for somebody to come into a queue: parent is the queue, key the call. */
export const queueServer = kind<MemberData>("queue-server", "XV");

/** When a sender is free again; the key is the sender. Only kept while sending rates apply. */
export const senderQueue = kind<{ readonly freeAt: number }>("sender-queue", "XQ");

/** Whether sending rates apply at all: one row, under the key `sending-rates`. */
export const sendingRates = kind<{ readonly apply: boolean }>("sending-rates", "XS");
