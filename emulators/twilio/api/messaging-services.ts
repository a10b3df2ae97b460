/** messaging.twilio.com/v1: services and their pools of senders. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { countryOf } from "../domain/countries.ts";
import { messagingServiceParameters } from "../domain/messaging-service.ts";
import { matching, required, text } from "../domain/parameters.ts";
import { reject, resourcePath } from "../errors.ts";
import {
  type MessagingServiceData,
  messagingService,
  phoneNumber,
  poolAlpha,
  poolNumber,
  poolShortCode,
  type SenderData,
  shortCode,
} from "../kinds.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { mountResource, type ResourceSpec } from "./resource.ts";

const domain = "messaging.twilio.com";
const links: readonly (readonly [string, string])[] = [
  ["phone_numbers", "PhoneNumbers"],
  ["short_codes", "ShortCodes"],
  ["alpha_senders", "AlphaSenders"],
  ["messages", "Messages"],
  ["us_app_to_person", "Compliance/Usa2p"],
  ["us_app_to_person_usecases", "Compliance/Usa2p/Usecases"],
  ["channel_senders", "ChannelSenders"],
  ["destination_alpha_senders", "DestinationAlphaSenders"],
];

const serviceSpec: ResourceSpec<MessagingServiceData> = {
  kind: messagingService,
  name: "Service",
  path: "/v1/Services",
  domain,
  list: "services",
  operations: ["create", "list", "fetch", "update", "remove"],
  parameters: messagingServiceParameters,
  shows: [
    ...["sid", "account_sid", "friendly_name", "date_created", "date_updated", "inbound_request_url", "inbound_method"],
    ...["fallback_url", "fallback_method", "status_callback", "sticky_sender", "mms_converter", "smart_encoding"],
    ...["scan_message_content", "fallback_to_long_code", "area_code_geomatch", "synchronous_validation"],
    ...["validity_period", "url", "links", "usecase", "us_app_to_person_registered", "use_inbound_webhook_on_number"],
  ],
  prepare: (_call, data) => ({ data }),
  view({ sid, accountSid }, { exchange }) {
    const url = `${exchange.base}/v1/Services/${sid}`;
    const own = links.map(([name, last]): [string, string] => [
      name,
      name === "messages" ? `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages` : `${url}/${last}`,
    ]);
    return { url, links: Object.fromEntries(own), us_app_to_person_registered: false };
  },
  removing({ runtime }, { sid }) {
    for (const kind of [poolNumber, poolShortCode, poolAlpha])
      for (const sender of runtime.state.resourcesOf(kind, sid)) runtime.state.removeResource(kind, sender.sid);
  },
};

const parent = ({ runtime, exchange, account, param }: Call): string => {
  const service = runtime.state.resource(messagingService, param("service"));
  return service?.accountSid === account.sid ? service.sid : reject("notFound", resourcePath(exchange));
};

const pool = {
  domain,
  operations: ["create", "list", "fetch", "remove"],
  parent,
} as const;
const senderShows = (own: string) => [
  ...["sid", "account_sid", "service_sid", "date_created", "date_updated", own, "country_code", "capabilities", "url"],
];

const numberSpec: ResourceSpec<SenderData, { PhoneNumberSid: string }> = {
  ...pool,
  kind: poolNumber,
  name: "PhoneNumber",
  path: "/v1/Services/:service/PhoneNumbers",
  list: "phone_numbers",
  parameters: { PhoneNumberSid: required(matching(/^PN[0-9a-fA-F]{32}$/, "")) },
  shows: senderShows("phone_number"),
  prepare(call, { PhoneNumberSid: sid }) {
    const number = call.runtime.state.resource(phoneNumber, sid);
    if (number?.accountSid !== call.account.sid) reject("notFound", resourcePath(call.exchange));
    notTaken(call, call.runtime.state.resource(poolNumber, sid)?.parent);
    return { data: { PhoneNumber: number.data.PhoneNumber }, key: number.data.PhoneNumber, sid };
  },
  view({ sid, parent: service, data }, { runtime }) {
    const can = runtime.state.resource(phoneNumber, sid)?.data.capabilities;
    const capabilities = [...(can?.mms ? ["MMS"] : []), ...(can?.sms ? ["SMS"] : []), ...(can?.voice ? ["Voice"] : [])];
    return { service_sid: service, country_code: countryOf(data.PhoneNumber)?.iso ?? "US", capabilities };
  },
};

const shortCodeSpec: ResourceSpec<SenderData, { ShortCodeSid: string }> = {
  ...pool,
  kind: poolShortCode,
  name: "ShortCode",
  path: "/v1/Services/:service/ShortCodes",
  list: "short_codes",
  parameters: { ShortCodeSid: required(matching(/^SC[0-9a-fA-F]{32}$/, "")) },
  shows: senderShows("short_code"),
  prepare(call, { ShortCodeSid: sid }) {
    const code = call.runtime.state.resource(shortCode, sid);
    if (code?.accountSid !== call.account.sid) reject("notFound", resourcePath(call.exchange));
    notTaken(call, call.runtime.state.resource(poolShortCode, sid)?.parent);
    return { data: { PhoneNumber: code.data.ShortCode }, key: code.data.ShortCode, sid };
  },
  view: ({ parent: service, data }) => ({
    service_sid: service,
    short_code: data.PhoneNumber,
    country_code: "US",
    capabilities: ["SMS"],
  }),
};

const alphaSpec: ResourceSpec<SenderData, { AlphaSender: string }> = {
  ...pool,
  kind: poolAlpha,
  name: "AlphaSender",
  path: "/v1/Services/:service/AlphaSenders",
  list: "alpha_senders",
  parameters: {
    AlphaSender: { ...required(text("")), ...matching(/^(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}$/, ""), required: true },
  },
  shows: ["sid", "account_sid", "service_sid", "date_created", "date_updated", "alpha_sender", "capabilities", "url"],
  prepare(call, { AlphaSender }) {
    const service = call.param("service");
    const taken = call.runtime.state
      .resourcesOf(poolAlpha, service)
      .some(({ data }) => data.PhoneNumber === AlphaSender);
    if (taken) reject("senderInService");
    return { data: { PhoneNumber: AlphaSender } };
  },
  view: ({ parent: service, data }) => ({
    service_sid: service,
    alpha_sender: data.PhoneNumber,
    capabilities: ["SMS"],
  }),
};

function notTaken(call: Call, service: string | undefined): void {
  if (service === undefined) return;
  if (service === call.param("service")) reject("senderInService");
  reject("senderInOther", service);
}

export function mountMessagingServices(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  mountResource(app, runtime, serviceSpec);
  mountResource(app, runtime, numberSpec);
  mountResource(app, runtime, shortCodeSpec);
  mountResource(app, runtime, alphaSpec);
}
