/** IncomingPhoneNumbers: buying, finding, setting up and giving back numbers; lists and purchases by type as well. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { numberCapabilities, numberType, offeredNumbers } from "../domain/available-numbers.ts";
import { countryNamed, friendlyForm } from "../domain/countries.ts";
import { type Parameters, text } from "../domain/parameters.ts";
import { normalisePhone } from "../domain/phone-numbers.ts";
import { numberParameters } from "../domain/voice-and-sms.ts";
import { reject } from "../errors.ts";
import {
  address,
  application,
  type NumberType,
  type PhoneNumberData,
  type PhoneNumberSettings,
  phoneNumber,
  poolNumber,
} from "../kinds.ts";
import type { Kind, Resource } from "../store-resources.ts";
import { rfc2822 } from "../wire/dates.ts";
import { wantsXml } from "../wire/headers.ts";
import { type Shown, shown } from "../wire/resource.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { mountResource, type ResourceSpec } from "./resource.ts";

const base = "/2010-04-01/Accounts/:account/IncomingPhoneNumbers";

const numberShows = [
  ...["account_sid", "address_sid", "address_requirements", "api_version", "beta", "capabilities", "date_created"],
  ...["date_updated", "friendly_name", "identity_sid", "phone_number", "origin", "sid", "sms_application_sid"],
  ...["sms_fallback_method", "sms_fallback_url", "sms_method", "sms_url", "status_callback", "status_callback_method"],
  ...["trunk_sid", "uri", "voice_receive_mode", "voice_application_sid", "voice_caller_id_lookup"],
  ...["voice_fallback_method", "voice_fallback_url", "voice_method", "voice_url", "emergency_status"],
  ...["emergency_address_sid", "emergency_address_status", "bundle_sid", "status"],
];

export const dependentShows = [
  ...["sid", "account_sid", "friendly_name", "phone_number", "voice_url", "voice_method", "voice_fallback_method"],
  ...["voice_fallback_url", "voice_caller_id_lookup", "date_created", "date_updated", "sms_fallback_method"],
  ...["sms_fallback_url", "sms_method", "sms_url", "address_requirements", "capabilities", "status_callback"],
  ...["status_callback_method", "api_version", "sms_application_sid", "voice_application_sid", "trunk_sid"],
  ...["emergency_status", "emergency_address_sid", "uri"],
];

interface Purchase extends PhoneNumberSettings {
  readonly PhoneNumber: string;
  readonly AreaCode: string;
  readonly AccountSid: string;
}

const purchaseParameters: Parameters<Purchase> = {
  ...numberParameters,
  PhoneNumber: text(""),
  AreaCode: text(""),
  AccountSid: text(""),
};

export function mountIncomingNumbers(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  mountResource(app, runtime, numberSpec("Local", "local"));
  mountResource(app, runtime, numberSpec("Mobile", "mobile"));
  mountResource(app, runtime, numberSpec("TollFree", "toll-free"));
  mountResource(app, runtime, numberSpec());
}

function numberSpec(segment?: string, type?: NumberType): ResourceSpec<PhoneNumberData, Purchase> {
  return {
    kind: phoneNumber,
    name: `IncomingPhoneNumber${segment ?? ""}`,
    path: segment === undefined ? base : `${base}/${segment}`,
    list: "incoming_phone_numbers",
    operations: segment === undefined ? ["create", "list", "fetch", "update", "remove"] : ["create", "list"],
    test: true,
    parameters: purchaseParameters,
    shows: numberShows,
    view: (number, call) => numberView(number, call),
    belongs: ({ data }) => type === undefined || data.type === type,
    prepare: (call, sent) => buy(call, sent, type),
    revise: (call, { data }, sent) => ({ data: { ...data, ...settingsOf(call, sent) }, ...newOwner(call) }),
    // Whoever has the number now decides which service sends with it.
    changed({ runtime }, { sid, accountSid }, before) {
      if (accountSid !== before.accountSid) runtime.state.removeResource(poolNumber, sid);
    },
    removing: ({ runtime }, { sid }) => runtime.state.removeResource(poolNumber, sid),
    filters: {
      FriendlyName: ({ data }, value) => data.FriendlyName === value,
      PhoneNumber: ({ data }, value) => numberMatches(data.PhoneNumber, value),
      Beta: (_number, value) => value !== "true",
      Origin: (_number, value) => value === "twilio",
    },
  };
}

function buy(call: Call, sent: Purchase, type: NumberType | undefined) {
  const { runtime, account } = call;
  if (account.type === "Trial" && runtime.state.firstResource(phoneNumber, account.sid)) reject("trialNumbers");
  const number = sent.PhoneNumber === "" ? numberIn(call, sent.AreaCode) : wanted(call, sent.PhoneNumber);
  if (type !== undefined && numberType(number) !== type) reject("numberInvalid", number);
  if (account.test === 0 && runtime.state.resourceByKey(phoneNumber, number)) reject("numberTaken", number);
  const settings = settingsOf(call, sent);
  const data: PhoneNumberData = {
    ...settings,
    FriendlyName: settings.FriendlyName === "" ? friendlyForm(number) : settings.FriendlyName,
    PhoneNumber: number,
    type: numberType(number),
    capabilities: numberCapabilities(number),
  };
  return { data, key: number };
}

/** Setting a trunk clears the voice application and the other way round; an application overrides the URLs, which stay. */
function settingsOf(
  { runtime, account, form }: Call,
  { PhoneNumber: _, AreaCode: __, AccountSid: ___, ...settings }: Purchase,
): PhoneNumberSettings {
  const has = (kind: Kind<unknown>, sid: string | null) =>
    sid === null || sid === "" || runtime.state.resource(kind, sid)?.accountSid === account.sid;
  for (const name of ["VoiceApplicationSid", "SmsApplicationSid"] as const)
    if (form.has(name) && !has(application, settings[name])) reject("callApplication", settings[name]);
  for (const name of ["AddressSid", "EmergencyAddressSid"] as const)
    if (form.has(name) && !has(address, settings[name])) reject("invalidParameter", name, settings[name] ?? "");
  if (form.get("TrunkSid")) return { ...settings, VoiceApplicationSid: "" };
  return form.get("VoiceApplicationSid") ? { ...settings, TrunkSid: null } : settings;
}

function wanted({ account }: Call, text: string): string {
  const number = normalisePhone(text) ?? reject("numberInvalid", text);
  if (account.test === 1) {
    if (number === "+15005550000") reject("numberTaken", number);
    if (number !== "+15005550006") reject("numberInvalid", number);
  }
  return number;
}

/** The first number on offer in the area code that nobody has. */
function numberIn({ runtime, account }: Call, areaCode: string): string {
  if (areaCode === "") reject("missingParameter", "PhoneNumber or AreaCode");
  if (!/^[2-9]\d\d$/.test(areaCode)) reject("areaCodeInvalid", areaCode);
  if (areaCode === "533") reject("areaCodeEmpty", areaCode);
  if (account.test === 1) return areaCode === "500" ? "+15005550006" : reject("areaCodeEmpty", areaCode);
  const country = countryNamed("US") ?? reject("areaCodeEmpty", areaCode);
  for (const { number } of offeredNumbers(runtime.ids, country, "local", areaCode))
    if (!runtime.state.resourceByKey(phoneNumber, number)) return number;
  return reject("areaCodeEmpty", areaCode);
}

/** `AccountSid` on an update hands the number to another account of the same owner. */
function newOwner({ runtime, account, caller, form }: Call): {
  readonly accountSid?: string;
  readonly parent?: string;
} {
  const sid = form.get("AccountSid") ?? "";
  if (sid === "" || sid === account.sid) return {};
  const target = runtime.state.account(sid);
  if (target?.ownerSid !== caller.ownerSid || target.status !== "active") reject("invalidParameter", "AccountSid", sid);
  return { accountSid: sid, parent: sid };
}

export function renderNumber(call: Call, number: Resource<PhoneNumberData>, names: readonly string[]): Shown {
  const { sid, accountSid, createdAt, updatedAt } = number;
  const extension = wantsXml(call.exchange) ? "" : ".json";
  return shown(names, number.data, {
    sid,
    account_sid: accountSid,
    date_created: rfc2822(createdAt),
    date_updated: rfc2822(updatedAt),
    uri: `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}${extension}`,
    ...numberView(number, call),
  });
}

function numberView({ sid, accountSid, data }: Resource<PhoneNumberData>, { exchange }: Call): Shown {
  const active = data.EmergencyStatus === "Active" && data.EmergencyAddressSid !== null;
  return {
    uri: `/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers/${sid}${wantsXml(exchange) ? "" : ".json"}`,
    address_requirements: "none",
    beta: false,
    capabilities: data.capabilities,
    origin: "twilio",
    emergency_address_status: active ? "registered" : "unregistered",
    status: "in-use",
  };
}

/** `*` stands for any digits; a part of a number finds it. */
function numberMatches(number: string, pattern: string): boolean {
  const exact = normalisePhone(pattern);
  if (exact !== undefined) return number === exact;
  const source = pattern
    .replace(/[^\d+*]/g, "")
    .replace(/\+/g, "\\+")
    .replaceAll("*", "\\d*");
  return source !== "" && new RegExp(source).test(number);
}
