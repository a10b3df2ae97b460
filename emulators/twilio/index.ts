/** Twilio: the 2010 API's messages, with signed status callbacks. */
import { Hono } from "hono";
import type { Emulator, KernelEnv, Site } from "../kernel/emulator.ts";
import { mountAccounts } from "./api/accounts.ts";
import { apiDomain, type TwilioRuntime } from "./api/call.ts";
import { advanceMessage, messageTimer } from "./api/message-life.ts";
import { mountMessages } from "./api/messages.ts";
import { capabilities } from "./capabilities.ts";
import { environment } from "./environment.ts";
import { createErrors } from "./errors.ts";
import { health } from "./health.ts";
import { real } from "./real.ts";
import { applySeed, type Seed, seedSchema } from "./seed.ts";
import { openStore, type TwilioState } from "./store.ts";
import { tables } from "./tables.ts";
import { twilioScheme } from "./webhooks.ts";

/** Every product of Twilio has a host of its own; what is not emulated there answers 20404 in the product's style. */
const products = [
  "accounts",
  "assistants",
  "bulkexports",
  "chat",
  "content",
  "conversations",
  "events",
  "flex-api",
  "frontline-api",
  "iam",
  "insights",
  "intelligence",
  "ip-messaging",
  "knowledge",
  "lookups",
  "marketplace",
  "memory",
  "messaging",
  "monitor",
  "notify",
  "numbers",
  "oauth",
  "preview",
  "preview-iam",
  "pricing",
  "proxy",
  "routes",
  "serverless",
  "studio",
  "supersim",
  "sync",
  "taskrouter",
  "tls-test",
  "trunking",
  "trusthub",
  "verify",
  "video",
  "voice",
  "wireless",
] as const;

export const twilio: Emulator<TwilioState, Seed> = {
  name: "twilio",
  title: "Twilio",
  provides: "sms",
  hosts: ["*.twilio.com"],
  http: [{ name: "api", ports: [{ setting: "twilioPort", tls: false }], sites }],
  tables,
  open: openStore,
  seed: { file: "twilio.yaml", schema: seedSchema, apply: applySeed },
  timers: { [messageTimer]: advanceMessage },
  webhooks: [twilioScheme],
  health,
  real,
  environment,
  capabilities,
};

function sites(runtime: TwilioRuntime): readonly Site[] {
  const api = new Hono<KernelEnv>();
  mountAccounts(api, runtime);
  mountMessages(api, runtime);
  return [
    // With an edge or a region the host is api.<edge>.<region>.twilio.com or api.<region>.twilio.com.
    { hosts: [apiDomain, "api.*.twilio.com"], routes: api, errors: createErrors(apiDomain) },
    ...products.map((product) => ({
      hosts: [`${product}.twilio.com`, `${product}.*.twilio.com`],
      prefix: product,
      routes: new Hono<KernelEnv>(),
      errors: createErrors(`${product}.twilio.com`),
    })),
  ];
}
