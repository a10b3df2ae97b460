/** What an account keeps besides its numbers: keys, applications, addresses; and its balance. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { flag, matching, type Parameters, required, text } from "../domain/parameters.ts";
import { applicationParameters } from "../domain/voice-and-sms.ts";
import { reject } from "../errors.ts";
import {
  type AddressData,
  type ApplicationData,
  address,
  apiKey,
  application,
  type PhoneNumberData,
  phoneNumber,
  type Secret,
  signingKey,
} from "../kinds.ts";
import type { Kind, Resource } from "../store-resources.ts";
import { addUsage } from "../store-usage.ts";
import { rfc2822 } from "../wire/dates.ts";
import { wantsXml } from "../wire/headers.ts";
import { spacedJson } from "../wire/json.ts";
import type { Shown } from "../wire/resource.ts";
import { shown } from "../wire/resource.ts";
import { xmlDocument } from "../wire/xml.ts";
import { type Call, respond, type TwilioRuntime } from "./call.ts";
import { dependentShows, renderNumber } from "./incoming-numbers.ts";
import { eachIn, readPage } from "./page.ts";
import {
  callOf,
  findOne,
  makeResource,
  mountResource,
  pathIn,
  type ResourceSpec,
  respondList,
  respondShown,
} from "./resource.ts";
import { requireFullAccess } from "./sign-in.ts";
import { usageOf } from "./usage-sums.ts";

const account = "/2010-04-01/Accounts/:account";
const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const everything = ["create", "list", "fetch", "update", "remove"] as const;

/** The secret is shown in the answer to the create and never again. */
function keySpec(
  kind: Kind<Secret>,
  name: string,
  path: string,
  list: string,
): ResourceSpec<Secret, { FriendlyName: string }> {
  return {
    kind,
    name,
    path: `${account}/${path}`,
    list,
    operations: ["list", "fetch", "update", "remove"],
    parameters: { FriendlyName: text("", 64) },
    shows: ["sid", "friendly_name", "date_created", "date_updated"],
    parent: keysOf,
    prepare: (call, { FriendlyName }) => ({
      data: {
        FriendlyName,
        secret: call.runtime.ids.derive("twilio.api-secret", [call.account.sid, FriendlyName]).text(32, alphanumeric),
        isMain: false,
      },
    }),
    revise: (_call, resource, { FriendlyName }) => ({ data: { ...resource.data, FriendlyName } }),
  };
}

function keysOf({ runtime, exchange, account: owner }: Call): string {
  requireFullAccess(runtime, exchange);
  return owner.sid;
}

const keySpecs = [
  keySpec(apiKey, "Key", "Keys", "keys"),
  keySpec(signingKey, "SigningKey", "SigningKeys", "signing_keys"),
];

const applicationSpec: ResourceSpec<ApplicationData> = {
  kind: application,
  name: "Application",
  path: `${account}/Applications`,
  list: "applications",
  operations: everything,
  parameters: applicationParameters,
  shows: [
    ...[
      "account_sid",
      "api_version",
      "date_created",
      "date_updated",
      "friendly_name",
      "message_status_callback",
      "sid",
    ],
    ...["sms_fallback_method", "sms_fallback_url", "sms_method", "sms_status_callback", "sms_url", "status_callback"],
    ...["status_callback_method", "uri", "voice_caller_id_lookup", "voice_fallback_method", "voice_fallback_url"],
    ...["voice_method", "voice_url", "public_application_connect_enabled"],
  ],
  prepare: (_call, data) => ({ data }),
  filters: { FriendlyName: ({ data }, value) => data.FriendlyName === value },
};

const addressParameters: Parameters<AddressData> = {
  CustomerName: required(text("", 255)),
  Street: required(text("")),
  City: required(text("")),
  Region: required(text("")),
  PostalCode: required(text("")),
  IsoCountry: required(matching(/^[A-Z]{2}$/, "")),
  FriendlyName: text("", 64),
  EmergencyEnabled: flag(false),
  StreetSecondary: text(null),
};

const addressSpec: ResourceSpec<AddressData> = {
  kind: address,
  name: "Address",
  path: `${account}/Addresses`,
  list: "addresses",
  operations: everything,
  parameters: addressParameters,
  shows: [
    ...["account_sid", "city", "customer_name", "date_created", "date_updated", "friendly_name", "iso_country"],
    ...[
      "postal_code",
      "region",
      "sid",
      "street",
      "uri",
      "emergency_enabled",
      "validated",
      "verified",
      "street_secondary",
    ],
  ],
  prepare: (_call, data) => ({ data }),
  view: ({ data }) => ({
    friendly_name: data.FriendlyName === "" ? data.CustomerName : data.FriendlyName,
    validated: false,
    verified: false,
  }),
  filters: {
    CustomerName: ({ data }, value) => data.CustomerName === value,
    FriendlyName: ({ data }, value) => data.FriendlyName === value,
    EmergencyEnabled: ({ data }, value) => data.EmergencyEnabled === (value === "true"),
    IsoCountry: ({ data }, value) => data.IsoCountry === value,
  },
};

export function mountAccountResources(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  for (const spec of keySpecs) {
    mountResource(app, runtime, spec);
    for (const path of [`${spec.path}.json`, spec.path]) app.post(path, (c) => createKey(callOf(runtime, c), spec));
  }
  mountResource(app, runtime, applicationSpec);
  mountResource(app, runtime, addressSpec);
  for (const end of [".json", ""]) {
    app.get(`${account}/Balance${end}`, (c) => balance(callOf(runtime, c)));
    app.get(`${addressSpec.path}/:sid/DependentPhoneNumbers${end}`, (c) => dependentNumbers(callOf(runtime, c)));
  }
}

function createKey(call: Call, spec: (typeof keySpecs)[number]): Response {
  call.exchange.note("operation", `CreateNew${spec.name}`);
  const parent = keysOf(call);
  const name = call.form.get("FriendlyName") ?? "";
  if (name.length > 64) reject("invalidParameter", "FriendlyName", name);
  const { data } = spec.prepare(call, { FriendlyName: name });
  const made = call.runtime.store.write(() => makeResource(call, spec.kind, { parent, data }));
  const common: Shown = shown(spec.shows, data, { ...keyView(made), secret: data.secret });
  return respondShown(call, spec, { ...common, secret: data.secret }, 201, made.sid);
}

function keyView({ sid, createdAt, updatedAt }: { sid: string; createdAt: number; updatedAt: number }): Shown {
  return { sid, date_created: rfc2822(createdAt), date_updated: rfc2822(updatedAt) };
}

/** What the main account was seeded with, less what it and its subaccounts have spent: they all pay from the one. */
function balance(call: Call): Response {
  const { exchange, runtime, account: owner } = call;
  exchange.note("operation", "FetchBalance");
  const payers = runtime.state.accountsOf(owner.ownerSid);
  const span = { from: 0, before: Number.MAX_SAFE_INTEGER };
  const spent = addUsage(...payers.map(({ sid }) => usageOf(runtime, "totalprice", { account: sid, ...span })));
  const left = startingBalance + spent.price / 100_000;
  const body = { account_sid: owner.sid, balance: left.toFixed(2), currency: "USD" };
  return respond(exchange, 200, {
    json: () => spacedJson(body),
    xml: () => xmlDocument({ Balance: body }),
  });
}
/** US dollars. */
const startingBalance = 100;

function dependentNumbers(call: Call): Response {
  call.exchange.note("operation", "ListDependentPhoneNumber");
  const { sid } = findOne(call, addressSpec);
  const numbers = call.runtime.state
    .resourcesOf(phoneNumber, call.account.sid)
    .filter(({ data }) => data.AddressSid === sid || data.EmergencyAddressSid === sid);
  const end = wantsXml(call.exchange) ? "" : ".json";
  const path = `${pathIn(call, `${addressSpec.path}/:sid`)}/DependentPhoneNumbers${end}`;
  const page = readPage<Resource<PhoneNumberData>>(call, path, {
    filters: [],
    each: eachIn(numbers, (number) => number.sid),
    keep: () => true,
    sid: (number) => number.sid,
  });
  return respondList(
    call,
    { list: "dependent_phone_numbers", name: "DependentPhoneNumber" },
    page.frame,
    page.records.map((number) => renderNumber(call, number, dependentShows)),
  );
}
