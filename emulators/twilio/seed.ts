/** fixtures/seeds/twilio.yaml: accounts and what they own. Sids and secrets that are not given are derived. */
import * as z from "zod";
import type { TwilioRuntime } from "./api/call.ts";
import { numberCapabilities, numberType } from "./domain/available-numbers.ts";
import { callPrice } from "./domain/call.ts";
import { friendlyForm } from "./domain/countries.ts";
import { type PastCall, pastCalls, pastMessages } from "./domain/history.ts";
import type { Message } from "./domain/message.ts";
import { isWebhookUrl, segmentsOf } from "./domain/message-draft.ts";
import { errorMessages, priceOf } from "./domain/message-life.ts";
import { messagingServiceParameters } from "./domain/messaging-service.ts";
import { initialOf } from "./domain/parameters.ts";
import { verifyServiceParameters } from "./domain/verification.ts";
import { numberParameters } from "./domain/voice-and-sms.ts";
import {
  apiKey,
  call,
  callerId,
  channelSender,
  messagingService,
  oauthApp,
  phoneNumber,
  poolNumber,
  shortCode,
  verifyService,
} from "./kinds.ts";

const sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-f]{32}$`), `${prefix} and 32 hex digits`);
const phone = z.string().regex(/^\+[1-9]\d{6,14}$/, "a number in E.164 form");
const address = z.string().regex(/^(\+[1-9]\d{6,14}|[1-9]\d{2,5})$/, "a number in E.164 form or a short code");
// twilio-go refuses credentials with anything but letters and digits before it sends them.
const secret = z.string().regex(/^[0-9a-zA-Z]{32}$/, "32 letters and digits");

const webhook = z.string().refine(isWebhookUrl, "an absolute http or https URL");

const pastMessage = z.strictObject({
  from: address,
  to: address,
  body: z.string().max(1_600),
  minutesAgo: z.number().min(0),
  status: z.enum(["delivered", "undelivered", "failed", "received"]),
  errorCode: z
    .number()
    .int()
    .refine((code) => errorMessages[code] !== undefined, "a code whose words are known")
    .optional(),
});

const account = z.strictObject({
  name: z.string().min(1).max(64),
  sid: sid("AC").optional(),
  authToken: secret.optional(),
  /** Name of the main account that owns this one. */
  parent: z.string().optional(),
  /** Test credentials: magic numbers, nothing stored. */
  test: z.boolean().default(false),
  status: z.enum(["active", "suspended", "closed"]).default("active"),
  /** Writes to and calls only numbers that it has or has verified. */
  trial: z.boolean().default(false),
  verifiedNumbers: z.array(phone).default([]),
  /** Numbers that also send by WhatsApp. */
  whatsappSenders: z.array(phone).default([]),
  apiKeys: z
    .array(z.strictObject({ name: z.string().min(1).max(64), sid: sid("SK").optional(), secret: secret.optional() }))
    .default([]),
  phoneNumbers: z
    .array(
      z.strictObject({
        number: phone,
        name: z.string().max(64).optional(),
        sid: sid("PN").optional(),
        sms: z.boolean().default(true),
        smsUrl: webhook.optional(),
        voiceUrl: webhook.optional(),
        statusCallback: webhook.optional(),
      }),
    )
    .default([]),
  messagingServices: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        sid: sid("MG").optional(),
        senders: z.array(phone),
        statusCallback: webhook.optional(),
        inboundRequestUrl: webhook.optional(),
        validityPeriod: z.number().int().min(1).max(36_000).default(36_000),
      }),
    )
    .default([]),
  verifyServices: z.array(z.strictObject({ name: z.string().min(1).max(30), sid: sid("VA").optional() })).default([]),
  oauthApps: z
    .array(z.strictObject({ name: z.string().min(1).max(64), sid: sid("OQ").optional(), secret: secret.optional() }))
    .default([]),
  shortCodes: z
    .array(z.strictObject({ code: z.string().regex(/^[1-9]\d{2,5}$/), sid: sid("SC").optional() }))
    .default([]),
  history: z.array(pastMessage).default([]),
  /** A year of generated messages and calls of its first number. */
  yearOfTraffic: z.boolean().default(false),
});

export const seedSchema = z.strictObject({ accounts: z.array(account).min(1) }).superRefine((seed, context) => {
  const names = new Set(seed.accounts.map(({ name }) => name));
  for (const [index, { name, parent, messagingServices, phoneNumbers }] of seed.accounts.entries()) {
    if (parent !== undefined && (parent === name || !names.has(parent)))
      context.addIssue({
        code: "custom",
        path: ["accounts", index, "parent"],
        message: `no other account is named ${parent}`,
      });
    const own = new Set(phoneNumbers.map(({ number }) => number));
    for (const [at, service] of messagingServices.entries())
      for (const sender of service.senders)
        if (!own.has(sender))
          context.addIssue({
            code: "custom",
            path: ["accounts", index, "messagingServices", at, "senders"],
            message: `${sender} is no phone number of ${name}`,
          });
  }
});

export type Seed = z.infer<typeof seedSchema>;
type AccountSeed = Seed["accounts"][number];

const yearMs = 365 * 86_400_000;

export function applySeed(seed: Seed, runtime: TwilioRuntime): void {
  const sidOf = ({ name, sid: given }: AccountSeed) => given ?? `AC${derived(runtime, "account", [name])}`;
  const sids = new Map(seed.accounts.map((entry) => [entry.name, sidOf(entry)]));
  // Whole seconds, as dates on the wire are.
  const now = Math.floor(runtime.clock.now() / 1_000) * 1_000;
  for (const entry of seed.accounts) {
    const accountSid = sidOf(entry);
    runtime.state.addAccount({
      sid: accountSid,
      ownerSid: (entry.parent === undefined ? undefined : sids.get(entry.parent)) ?? accountSid,
      authToken: entry.authToken ?? derived(runtime, "auth-token", [entry.name]),
      friendlyName: entry.name,
      status: entry.status,
      type: entry.trial ? "Trial" : "Full",
      test: entry.test ? 1 : 0,
      createdAt: now - yearMs,
      updatedAt: now - yearMs,
    });
    addPossessions(runtime, entry, accountSid, now - yearMs);
    if (entry.yearOfTraffic) addTraffic(runtime, entry, accountSid, now);
    addHistory(runtime, entry, accountSid, now);
  }
}

function addPossessions(runtime: TwilioRuntime, entry: AccountSeed, accountSid: string, at: number): void {
  const { state } = runtime;
  const stamps = { accountSid, parent: accountSid, key: null, createdAt: at, updatedAt: at };
  const secretOf = (kind: string, name: string) =>
    runtime.ids.fixed(`twilio.${kind}`, [accountSid, name]).text(32, alphanumeric);
  for (const { name, sid: given, secret } of entry.apiKeys) {
    state.addResource(apiKey, {
      sid: given ?? `SK${derived(runtime, "api-key", [accountSid, name])}`,
      ...stamps,
      data: { FriendlyName: name, secret: secret ?? secretOf("api-secret", name) },
    });
  }
  for (const { name, sid: given, secret } of entry.oauthApps) {
    state.addResource(oauthApp, {
      sid: given ?? `OQ${derived(runtime, "oauth-app", [accountSid, name])}`,
      ...stamps,
      data: { FriendlyName: name, secret: secret ?? secretOf("oauth-secret", name) },
    });
  }
  for (const { code, sid: given } of entry.shortCodes)
    state.addResource(shortCode, {
      sid: given ?? `SC${derived(runtime, "short-code", [accountSid, code])}`,
      ...stamps,
      key: code,
      data: { ShortCode: code },
    });
  for (const number of entry.verifiedNumbers)
    state.addResource(callerId, {
      sid: `PN${derived(runtime, "caller-id", [accountSid, number])}`,
      ...stamps,
      data: { FriendlyName: friendlyForm(number), PhoneNumber: number },
    });
  for (const number of entry.whatsappSenders) {
    const address = `whatsapp:${number}`;
    state.addResource(channelSender, {
      sid: `XE${derived(runtime, "channel-sender", [accountSid, address])}`,
      ...stamps,
      key: address,
      data: { address },
    });
  }
  const numberSids = addNumbers(runtime, entry, accountSid, at);
  for (const service of entry.messagingServices) {
    const serviceSid = service.sid ?? `MG${derived(runtime, "messaging-service", [accountSid, service.name])}`;
    state.addResource(messagingService, {
      sid: serviceSid,
      ...stamps,
      data: {
        ...initialOf(messagingServiceParameters),
        FriendlyName: service.name,
        StatusCallback: service.statusCallback ?? null,
        InboundRequestUrl: service.inboundRequestUrl ?? null,
        ValidityPeriod: service.validityPeriod,
      },
    });
    for (const sender of service.senders)
      state.addResource(poolNumber, {
        ...stamps,
        sid: numberSids.get(sender) ?? "",
        parent: serviceSid,
        key: sender,
        data: { PhoneNumber: sender },
      });
  }
  for (const { name, sid: given } of entry.verifyServices) {
    state.addResource(verifyService, {
      sid: given ?? `VA${derived(runtime, "verify-service", [accountSid, name])}`,
      ...stamps,
      data: { ...initialOf(verifyServiceParameters), FriendlyName: name, "Totp.Issuer": name },
    });
  }
}

function addNumbers(runtime: TwilioRuntime, entry: AccountSeed, accountSid: string, at: number): Map<string, string> {
  const sids = new Map<string, string>();
  for (const { number, name, sid: given, sms, smsUrl, voiceUrl, statusCallback } of entry.phoneNumbers) {
    const numberSid = given ?? `PN${derived(runtime, "phone-number", [accountSid, number])}`;
    sids.set(number, numberSid);
    const capabilities = numberCapabilities(number);
    runtime.state.addResource(phoneNumber, {
      sid: numberSid,
      accountSid,
      parent: accountSid,
      key: number,
      createdAt: at,
      updatedAt: at,
      data: {
        ...initialOf(numberParameters),
        FriendlyName: name ?? friendlyForm(number),
        PhoneNumber: number,
        SmsUrl: smsUrl ?? "",
        VoiceUrl: voiceUrl ?? "",
        StatusCallback: statusCallback ?? "",
        type: numberType(number),
        capabilities: sms ? capabilities : { ...capabilities, sms: false, mms: false },
      },
    });
  }
  return sids;
}

function addHistory(runtime: TwilioRuntime, entry: AccountSeed, accountSid: string, now: number): void {
  for (const { from, to, body, minutesAgo, status, errorCode } of entry.history) {
    const at = now - Math.round(minutesAgo * 60) * 1_000;
    runtime.state.addMessage(
      pastMessageRow(runtime, accountSid, { from, to, body, at, status, errorCode: errorCode ?? null }),
    );
  }
}

function addTraffic(runtime: TwilioRuntime, entry: AccountSeed, accountSid: string, now: number): void {
  const own = entry.phoneNumbers[0]?.number;
  if (own === undefined) return;
  for (const { at, inbound, person, body, status, errorCode } of pastMessages(runtime.ids, accountSid, now)) {
    const [from, to] = inbound ? [person, own] : [own, person];
    runtime.state.addMessage(pastMessageRow(runtime, accountSid, { from, to, body, at, status, errorCode }));
  }
  const phoneNumberSid = runtime.state.resourceByKey(phoneNumber, own)?.sid ?? null;
  for (const past of pastCalls(runtime.ids, accountSid, now))
    addPastCall(runtime, accountSid, own, phoneNumberSid, past);
}

function pastMessageRow(
  runtime: TwilioRuntime,
  accountSid: string,
  past: Pick<Message, "to" | "body" | "errorCode"> & {
    readonly from: string;
    readonly at: number;
    readonly status: "delivered" | "undelivered" | "failed" | "received";
  },
): Message {
  const { from, to, body, at, status, errorCode } = past;
  const numSegments = segmentsOf(body, 0);
  const handedOver = status !== "failed";
  const endedAt = at + (status === "received" ? 0 : 3_000);
  return {
    sid: `SM${runtime.ids.derive("twilio.message", [accountSid, to, from, body]).hex(32)}`,
    accountSid,
    direction: status === "received" ? "inbound" : "outbound-api",
    from,
    to,
    body,
    numSegments,
    numMedia: 0,
    mediaUrls: null,
    status,
    errorCode,
    price: handedOver ? priceOf({ to, numSegments, numMedia: 0 }) : null,
    billedAt: handedOver ? endedAt : null,
    messagingServiceSid: null,
    statusCallback: null,
    validUntil: null,
    sendAt: null,
    smartEncoded: 0,
    createdAt: at,
    updatedAt: endedAt,
    sentAt: status === "failed" ? null : at + (status === "received" ? 0 : 1_000),
  };
}

function addPastCall(
  runtime: TwilioRuntime,
  accountSid: string,
  own: string,
  phoneNumberSid: string | null,
  { at, inbound, person, status, seconds }: PastCall,
): void {
  const [from, to] = inbound ? [person, own] : [own, person];
  const direction = inbound ? "inbound" : "outbound-api";
  const endedAt = at + (8 + seconds) * 1_000;
  runtime.state.addResource(call, {
    sid: `CA${runtime.ids.derive("twilio.call", [accountSid, to, from, null]).hex(32)}`,
    accountSid,
    parent: accountSid,
    key: null,
    createdAt: at,
    updatedAt: endedAt,
    data: {
      to,
      from,
      status,
      direction,
      parentCallSid: null,
      phoneNumberSid,
      answeredBy: null,
      dialled: true,
      startedAt: at + 8_000,
      endedAt,
      seconds,
      price: status === "completed" ? callPrice(direction, seconds) : null,
      url: null,
      method: "POST",
      fallbackUrl: null,
      fallbackMethod: "POST",
      twiml: null,
      statusCallback: null,
      statusCallbackMethod: "POST",
      statusCallbackEvents: ["completed"],
      timeout: 60,
      timeLimit: 14_400,
      machineDetection: false,
      record: null,
      recordingSid: null,
      sequence: 0,
      script: null,
    },
  });
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function derived(runtime: TwilioRuntime, kind: string, content: readonly string[]): string {
  return runtime.ids.fixed(`twilio.${kind}`, content).hex(32);
}
