/** fixtures/seeds/twilio.yaml: accounts and what they own. Sids and secrets that are not given are derived. */
import { z } from "zod";
import type { TwilioRuntime } from "./api/call.ts";
import { isWebhookUrl, segmentsOf } from "./domain/message-draft.ts";
import { errorMessages, priceOf } from "./domain/message-life.ts";

const sid = (prefix: string) => z.string().regex(new RegExp(`^${prefix}[0-9a-f]{32}$`), `${prefix} and 32 hex digits`);
const phone = z.string().regex(/^\+[1-9]\d{6,14}$/, "a number in E.164 form");
const address = z.string().regex(/^(\+[1-9]\d{6,14}|[1-9]\d{2,5})$/, "a number in E.164 form or a short code");
// twilio-go refuses credentials with anything but letters and digits before it sends them.
const secret = z.string().regex(/^[0-9a-zA-Z]{32}$/, "32 letters and digits");

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
      }),
    )
    .default([]),
  messagingServices: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(64),
        sid: sid("MG").optional(),
        senders: z.array(phone),
        statusCallback: z.string().refine(isWebhookUrl, "an absolute http or https URL").optional(),
        validityPeriod: z.number().int().min(1).max(36_000).default(36_000),
      }),
    )
    .default([]),
  verifyServices: z.array(z.strictObject({ name: z.string().min(1).max(30), sid: sid("VA").optional() })).default([]),
  history: z.array(pastMessage).default([]),
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
      type: "Full",
      test: entry.test ? 1 : 0,
      createdAt: now - yearMs,
      updatedAt: now - yearMs,
    });
    addPossessions(runtime, entry, accountSid, now - yearMs);
    addHistory(runtime, entry, accountSid, now);
  }
}

function addPossessions(runtime: TwilioRuntime, entry: AccountSeed, accountSid: string, at: number): void {
  const { state } = runtime;
  const stamps = { accountSid, createdAt: at, updatedAt: at };
  for (const key of entry.apiKeys) {
    state.addApiKey({
      sid: key.sid ?? `SK${derived(runtime, "api-key", [accountSid, key.name])}`,
      secret: key.secret ?? runtime.ids.fixed("twilio.api-secret", [accountSid, key.name]).text(32, alphanumeric),
      friendlyName: key.name,
      ...stamps,
    });
  }
  const numberSids = new Map<string, string>();
  for (const { number, name, sid: given, sms } of entry.phoneNumbers) {
    const numberSid = given ?? `PN${derived(runtime, "phone-number", [accountSid, number])}`;
    numberSids.set(number, numberSid);
    state.addPhoneNumber({
      sid: numberSid,
      phoneNumber: number,
      friendlyName: name ?? number,
      sms: sms ? 1 : 0,
      ...stamps,
    });
  }
  for (const service of entry.messagingServices) {
    const serviceSid = service.sid ?? `MG${derived(runtime, "messaging-service", [accountSid, service.name])}`;
    state.addMessagingService({
      sid: serviceSid,
      friendlyName: service.name,
      statusCallback: service.statusCallback ?? null,
      validityPeriod: service.validityPeriod,
      ...stamps,
    });
    for (const sender of service.senders) state.addSender(serviceSid, numberSids.get(sender) ?? "");
  }
  for (const service of entry.verifyServices) {
    const serviceSid = service.sid ?? `VA${derived(runtime, "verify-service", [accountSid, service.name])}`;
    state.addVerifyService({ sid: serviceSid, friendlyName: service.name, ...stamps });
  }
}

function addHistory(runtime: TwilioRuntime, entry: AccountSeed, accountSid: string, now: number): void {
  for (const { from, to, body, minutesAgo, status, errorCode } of entry.history) {
    const createdAt = now - Math.round(minutesAgo * 60) * 1_000;
    const numSegments = segmentsOf(body, 0);
    const handedOver = status !== "failed";
    const endedAt = createdAt + (status === "received" ? 0 : 3_000);
    runtime.state.addMessage({
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
      errorCode: errorCode ?? null,
      price: handedOver ? priceOf({ numSegments, numMedia: 0 }) : null,
      billedAt: handedOver ? endedAt : null,
      messagingServiceSid: null,
      statusCallback: null,
      validUntil: null,
      sendAt: null,
      createdAt,
      updatedAt: endedAt,
      sentAt: status === "failed" ? null : createdAt + (status === "received" ? 0 : 1_000),
    });
  }
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function derived(runtime: TwilioRuntime, kind: string, content: readonly string[]): string {
  return runtime.ids.fixed(`twilio.${kind}`, content).hex(32);
}
