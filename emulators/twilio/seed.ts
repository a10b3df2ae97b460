/** fixtures/seeds/twilio.yaml: accounts and what they own. Sids and secrets that are not given are derived. */
import type { TwilioRuntime } from "./api/call.ts";
import { numberCapabilities, numberType } from "./domain/available-numbers.ts";
import { callPrice } from "./domain/call.ts";
import { friendlyForm } from "./domain/countries.ts";
import { type PastCall, pastCalls, pastMessages } from "./domain/history.ts";
import type { Message } from "./domain/message.ts";
import { segmentsOf } from "./domain/message-draft.ts";
import { priceOf } from "./domain/message-life.ts";
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
import type { Seed } from "./seed-form.ts";

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
      data: { FriendlyName: name, secret: secret ?? secretOf("api-secret", name), isMain: true },
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
