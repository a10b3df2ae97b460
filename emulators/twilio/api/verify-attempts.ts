/** verify.twilio.com/v2/Attempts: every time a code went out, and how many of them were used. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { normalisePhone } from "../domain/phone-numbers.ts";
import { attemptPrice, isEmail } from "../domain/verification.ts";
import { reject } from "../errors.ts";
import { type AttemptData, attempt } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { type Call, respondJson, type TwilioRuntime } from "./call.ts";
import { callOf, mountResource, type ResourceSpec } from "./resource.ts";
import { verifyDomain } from "./verify-services.ts";

type Attempt = Resource<AttemptData>;

const filters = {
  DateCreatedAfter: ({ createdAt }: Attempt, value: string) => createdAt >= instant(value),
  DateCreatedBefore: ({ createdAt }: Attempt, value: string) => createdAt <= instant(value),
  "ChannelData.To": ({ data }: Attempt, value: string) => data.to === (normalisePhone(value) ?? value),
  Country: ({ data }: Attempt, value: string) => data.country === value.toUpperCase(),
  Channel: ({ data }: Attempt, value: string) => data.channel === value.toLowerCase(),
  VerifyServiceSid: ({ data }: Attempt, value: string) => data.serviceSid === value,
  VerificationSid: ({ data }: Attempt, value: string) => data.verificationSid === value,
  Status: ({ data }: Attempt, value: string) => (data.converted ? "converted" : "unconverted") === value.toLowerCase(),
};

const spec: ResourceSpec<AttemptData, object> = {
  kind: attempt,
  name: "VerificationAttempt",
  path: "/v2/Attempts",
  domain: verifyDomain,
  list: "attempts",
  operations: ["list", "fetch"],
  parameters: {},
  shows: [
    ...["sid", "account_sid", "service_sid", "verification_sid", "date_created", "date_updated", "conversion_status"],
    ...["channel", "price", "channel_data", "url"],
  ],
  prepare: () => reject("forbidden"),
  view: ({ data }) => ({
    service_sid: data.serviceSid,
    verification_sid: data.verificationSid,
    conversion_status: data.converted ? "converted" : "unconverted",
    channel: data.channel,
    price: { value: String(-attemptPrice / 100_000), currency: "usd" },
    channel_data: {
      to: data.to,
      ...(isEmail(data.to) ? {} : { country: data.country }),
      code_length: data.codeLength,
      locale: data.locale,
      message_status: "DELIVERED",
      error_code: null,
    },
  }),
  filters,
};

export function mountVerifyAttempts(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.get(`${spec.path}/Summary`, (c) => summary(callOf(runtime, c)));
  mountResource(app, runtime, spec);
}

function summary(call: Call): Response {
  const { exchange, runtime, account, query } = call;
  exchange.note("operation", "FetchVerificationAttemptsSummary");
  const summed = { ...filters, DestinationPrefix: ({ data }: Attempt, value: string) => data.to.startsWith(value) };
  const all = runtime.state.resourcesOf(attempt, account.sid).filter((one) =>
    Object.entries(summed).every(([name, agrees]) => {
      const value = query.get(name);
      return value === null || value === "" || agrees(one, value);
    }),
  );
  const converted = all.filter(({ data }) => data.converted).length;
  const body = {
    total_attempts: all.length,
    total_converted: converted,
    total_unconverted: all.length - converted,
    conversion_rate_percentage: String(all.length === 0 ? 0 : Math.round((converted * 10_000) / all.length) / 100),
    url: `${exchange.base}/v2/Attempts/Summary`,
  };
  return respondJson(exchange, verifyDomain, 200, JSON.stringify(body));
}

function instant(text: string): number {
  const at = Date.parse(text);
  return Number.isNaN(at) ? reject("verifyInvalid", "DateCreated", text) : at;
}
