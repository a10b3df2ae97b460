/** The form of fixtures/seeds/twilio.yaml. */
import * as z from "zod";
import { isWebhookUrl } from "./domain/message-draft.ts";
import { errorMessages } from "./domain/message-life.ts";

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

export const Seed = z.strictObject({ accounts: z.array(account).min(1) }).superRefine((seed, context) => {
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

export type Seed = z.infer<typeof Seed>;
