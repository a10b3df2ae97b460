/** Twilio: messages, calls, verifications and what belongs to them, with signed requests to applications. */
import { Hono } from "hono";
import type { Emulator, KernelEnv, Site } from "../kernel/emulator.ts";
import { mountAccountResources } from "./api/account-resources.ts";
import { mountAccounts } from "./api/accounts.ts";
import { mountAvailableNumbers } from "./api/available-numbers.ts";
import { apiDomain, type TwilioRuntime } from "./api/call.ts";
import { callLimitTimer, callTimer } from "./api/call-life.ts";
import { advanceCall, limitCall } from "./api/call-script.ts";
import { mountCalls } from "./api/calls.ts";
import { mountConferences } from "./api/conferences.ts";
import { mountContents } from "./api/contents.ts";
import { ageConversation, conversationTimer, mountConversations } from "./api/conversations.ts";
import { mountIncomingNumbers } from "./api/incoming-numbers.ts";
import { mountLookups } from "./api/lookups.ts";
import { mountMedia } from "./api/media.ts";
import { advanceMessage, messageTimer } from "./api/message-life.ts";
import { mountMessages } from "./api/messages.ts";
import { mountMessagingServices } from "./api/messaging-services.ts";
import { mountOauth } from "./api/oauth.ts";
import { mountOutgoingCallerIds } from "./api/outgoing-caller-ids.ts";
import { mountQueues } from "./api/queues.ts";
import { mountRecordings } from "./api/recordings.ts";
import { mountUsage } from "./api/usage.ts";
import { expireVerification, mountVerify, verificationTimer } from "./api/verify.ts";
import { mountVerifyAttempts } from "./api/verify-attempts.ts";
import { capabilities } from "./capabilities.ts";
import { environment } from "./environment.ts";
import { createErrors } from "./errors.ts";
import { health } from "./health.ts";
import { real } from "./real.ts";
import { applySeed } from "./seed.ts";
import type { Seed } from "./seed-form.ts";
import { openStore, type TwilioState } from "./store.ts";
import { tables } from "./tables.ts";
import { twilioScheme } from "./webhooks.ts";

type Mount = (app: Hono<KernelEnv>, runtime: TwilioRuntime) => void;

/** The 2010 API, at the root of a plain address. */
const api: readonly Mount[] = [
  mountAccounts,
  mountMessages,
  mountIncomingNumbers,
  mountAvailableNumbers,
  mountAccountResources,
  mountOutgoingCallerIds,
  mountUsage,
  mountMedia,
  mountRecordings,
  mountCalls,
  mountConferences,
  mountQueues,
];

/** Every product of Twilio has a host of its own; what is not emulated there answers 20404 in the product's style. */
const products: Readonly<Record<string, readonly Mount[]>> = {
  accounts: [],
  assistants: [],
  autopilot: [],
  bulkexports: [],
  chat: [],
  content: [mountContents],
  conversations: [mountConversations],
  events: [],
  fax: [],
  "flex-api": [],
  "frontline-api": [],
  iam: [],
  insights: [],
  intelligence: [],
  "ip-messaging": [],
  knowledge: [],
  lookups: [mountLookups],
  marketplace: [],
  media: [],
  memory: [],
  messaging: [mountMessagingServices],
  microvisor: [],
  monitor: [],
  notify: [],
  numbers: [],
  oauth: [mountOauth],
  preview: [],
  "preview-iam": [],
  pricing: [],
  proxy: [],
  routes: [],
  serverless: [],
  studio: [],
  supersim: [],
  sync: [],
  taskrouter: [],
  "tls-test": [],
  trunking: [],
  trusthub: [],
  verify: [mountVerify, mountVerifyAttempts],
  video: [],
  voice: [],
  wireless: [],
};

/** First labels of their host names. */
export const productNames: readonly string[] = ["api", ...Object.keys(products)];

export const twilio: Emulator<TwilioState, Seed> = {
  name: "twilio",
  title: "Twilio",
  provides: "sms",
  hosts: ["*.twilio.com"],
  http: [{ name: "api", ports: [{ setting: "twilioPort", tls: false }], sites, forPeople: true }],
  tables,
  open: openStore,
  seed: { file: "twilio.yaml", form: async () => (await import("./seed-form.ts")).Seed, apply: applySeed },
  timers: {
    [messageTimer]: advanceMessage,
    [verificationTimer]: expireVerification,
    [callTimer]: advanceCall,
    [callLimitTimer]: limitCall,
    [conversationTimer]: ageConversation,
  },
  control: async (runtime) => (await import("./api/control.ts")).controlRoutes(runtime),
  webhooks: [twilioScheme],
  health,
  real,
  environment,
  capabilities,
};

function sites(runtime: TwilioRuntime): readonly Site[] {
  return [
    // With an edge or a region the host is api.<edge>.<region>.twilio.com or api.<region>.twilio.com.
    { hosts: [apiDomain, "api.*.twilio.com"], routes: routesOf(api, runtime), errors: createErrors(apiDomain) },
    ...Object.entries(products).map(([product, mounts]) => ({
      hosts: [`${product}.twilio.com`, `${product}.*.twilio.com`],
      prefix: product,
      routes: routesOf(mounts, runtime),
      errors: createErrors(`${product}.twilio.com`),
    })),
  ];
}

function routesOf(mounts: readonly Mount[], runtime: TwilioRuntime): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  for (const mount of mounts) mount(app, runtime);
  return app;
}
