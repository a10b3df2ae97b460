/** verify.twilio.com/v2: verifications and their checks. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import type { Timer } from "../../kernel/timers.ts";
import { countryOf, lineType } from "../domain/countries.ts";
import { readParameters } from "../domain/parameters.ts";
import { normalisePhone } from "../domain/phone-numbers.ts";
import {
  afterCheck,
  attemptChannel,
  isEmail,
  lifeMs,
  mostChecks,
  mostSends,
  type VerificationSent,
  verificationParameters,
} from "../domain/verification.ts";
import { failure, reject, resourcePath } from "../errors.ts";
import {
  attempt,
  type VerificationData,
  type VerificationStatus,
  type VerifyServiceData,
  verification,
  verifyService,
} from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import { iso } from "../wire/dates.ts";
import type { Shown } from "../wire/resource.ts";
import { type Call, respondJson, type TwilioRuntime } from "./call.ts";
import { callOf, changeResource, makeResource, mountResource } from "./resource.ts";
import { verifyDomain, verifyProblem, verifyServiceSpec } from "./verify-services.ts";

export const verificationTimer = "twilio.verification";
type Verification = Resource<VerificationData>;

export function mountVerify(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  mountResource(app, runtime, verifyServiceSpec);
  const base = "/v2/Services/:service";
  app.post(`${base}/Verifications`, (c) => create(callOf(runtime, c)));
  app.get(`${base}/Verifications/:sid`, (c) => fetchOne(callOf(runtime, c)));
  app.post(`${base}/Verifications/:sid`, (c) => update(callOf(runtime, c)));
  app.post(`${base}/VerificationCheck`, (c) => check(callOf(runtime, c)));
}

function create(call: Call): Response {
  call.exchange.note("operation", "CreateVerification");
  const service = serviceIn(call);
  const sent = readSent(call, service);
  const { state } = call.runtime;
  const key = keyOf(service.sid, sent.To);
  const pending = state.resourceByKey(verification, key);
  if (pending?.data.status === "max_attempts_reached") reject("verifyChecks");
  if (pending && pending.data.sends.length >= mostSends) reject("verifySends");
  const made = call.runtime.store.write(() => {
    const begun = pending ?? begin(call, service, sent, key);
    return send(call, service, begun, sent);
  });
  call.exchange.note("resource", made.sid);
  return respondJson(call.exchange, verifyDomain, 201, JSON.stringify(render(call, made)), made.sid);
}

function readSent(call: Call, service: Resource<VerifyServiceData>): VerificationSent {
  const reading = readParameters(verificationParameters, call.form);
  if (!reading.ok) throw failure(verifyProblem(reading.problem));
  const sent = reading.value;
  const { To, Channel, Amount, Payee, CustomCode } = sent;
  if (To === "") reject("missingParameter", "To");
  if (Channel === "") reject("missingParameter", "Channel");
  const to = Channel === "email" ? (isEmail(To) ? To : undefined) : normalisePhone(To);
  if (to === undefined) reject("verifyInvalid", "To", To);
  if (CustomCode !== null && !service.data.CustomCodeEnabled) reject("verifyDisabled", "Custom code");
  if ((Amount === null) !== (Payee === null)) reject("verifyPsd2");
  const guarded = service.data.LookupEnabled || service.data.SkipSmsToLandlines;
  if (Channel === "sms" && guarded && lineType(to) === "landline") reject("verifyLandline");
  return { ...sent, To: to };
}

/** Inside a write. */
function begin(call: Call, service: Resource<VerifyServiceData>, sent: VerificationSent, key: string): Verification {
  const { runtime, exchange } = call;
  const hex = runtime.ids.derive("twilio.verification", [service.sid, sent.To]).hex(32);
  const digits = runtime.ids.fixed("twilio.verification-code", [hex]).text(service.data.CodeLength, "0123456789");
  const data: VerificationData = {
    To: sent.To,
    Channel: sent.Channel === "auto" ? "sms" : sent.Channel,
    Amount: sent.Amount,
    Payee: sent.Payee,
    Locale: sent.Locale,
    code: sent.CustomCode ?? digits,
    status: "pending",
    checks: 0,
    expiresAt: exchange.at + lifeMs,
    sends: [],
  };
  const made = makeResource(call, verification, { parent: service.sid, key, data, sid: `VE${hex}` });
  runtime.timers.schedule({ kind: verificationTimer, subject: made.sid, due: data.expiresAt });
  return made;
}

/** Inside a write: the code goes out once more. */
function send(
  call: Call,
  service: Resource<VerifyServiceData>,
  begun: Verification,
  sent: VerificationSent,
): Verification {
  const { exchange } = call;
  const channel = sent.Channel === "auto" ? "sms" : sent.Channel;
  const made = makeResource(call, attempt, {
    parent: call.account.sid,
    data: {
      serviceSid: service.sid,
      verificationSid: begun.sid,
      channel,
      to: begun.data.To,
      country: countryOf(begun.data.To)?.iso ?? "US",
      codeLength: begun.data.code.length,
      locale: begun.data.Locale ?? "en",
      converted: false,
    },
  });
  const sends = [...begun.data.sends, { at: exchange.at, channel, attemptSid: made.sid }];
  const after = changeResource(call, verification, begun, { data: { ...begun.data, Channel: channel, sends } });
  tell(call.runtime, after, exchange.at);
  return after;
}

function fetchOne(call: Call): Response {
  call.exchange.note("operation", "FetchVerification");
  return respondJson(call.exchange, verifyDomain, 200, JSON.stringify(render(call, find(call))));
}

function update(call: Call): Response {
  call.exchange.note("operation", "UpdateVerification");
  const found = find(call);
  const asked = call.form.get("Status") || reject("missingParameter", "Status");
  if (asked !== "canceled" && asked !== "approved") reject("verifyInvalid", "Status", asked);
  if (found.data.status !== "pending" && found.data.status !== "max_attempts_reached") gone(call);
  const after = end(call, found, asked);
  return respondJson(call.exchange, verifyDomain, 200, JSON.stringify(render(call, after)));
}

function check(call: Call): Response {
  const { exchange, form, runtime } = call;
  exchange.note("operation", "CreateVerificationCheck");
  const service = serviceIn(call);
  const found = checked(call, service.sid);
  const code = form.get("Code") ?? "";
  if (!/^[0-9A-Za-z]{4,10}$/.test(code)) reject("verifyInvalid", "Code", code);
  if (found.data.status === "max_attempts_reached") reject("verifyChecks");
  if (found.data.status !== "pending") gone(call);
  if (found.data.checks >= mostChecks) {
    end(call, found, "max_attempts_reached");
    reject("verifyChecks");
  }
  const { Amount, Payee } = found.data;
  if (Amount !== null && (form.get("Amount") !== Amount || form.get("Payee") !== Payee)) reject("verifyPsd2");
  const data = afterCheck(found.data, code);
  const after = runtime.store.write(() =>
    data.status === "approved"
      ? end(call, found, "approved", data)
      : changeResource(call, verification, found, { data }),
  );
  return respondJson(exchange, verifyDomain, 200, JSON.stringify(renderCheck(after)));
}

/** What the check is about: named by its sid, or by whom the code went to. */
function checked(call: Call, serviceSid: string): Verification {
  const { form, runtime } = call;
  const sid = form.get("VerificationSid");
  const to = form.get("To");
  if (!sid && !to) reject("missingParameter", "To");
  const found = sid
    ? runtime.state.resource(verification, sid)
    : runtime.state.resourceByKey(verification, keyOf(serviceSid, normalisePhone(to ?? "") ?? to ?? ""));
  return found?.parent === serviceSid ? found : gone(call);
}

/** By its sid, or, as the real service also allows, by the number it went to. */
function find(call: Call): Verification {
  const service = serviceIn(call);
  const name = call.param("sid");
  call.exchange.note("resource", name);
  const { state } = call.runtime;
  const found =
    state.resource(verification, name) ??
    state.resourceByKey(verification, keyOf(service.sid, normalisePhone(name) ?? name));
  return found?.parent === service.sid ? found : gone(call);
}

function serviceIn(call: Call): Resource<VerifyServiceData> {
  const service = call.runtime.state.resource(verifyService, call.param("service"));
  return service?.accountSid === call.account.sid ? service : gone(call);
}

function gone({ exchange }: Call): never {
  reject("notFound", resourcePath(exchange));
}

function keyOf(serviceSid: string, to: string): string {
  return `${serviceSid}/${to}`;
}

/** Takes a verification to its last status; the recipient can be sent a new one, unless checks were used up. */
function end(call: Call, found: Verification, status: VerificationStatus, data = found.data): Verification {
  const { runtime, exchange } = call;
  const final = status !== "max_attempts_reached";
  return runtime.store.write(() => {
    const change = { data: { ...data, status }, ...(final ? { key: null } : {}) };
    const after = changeResource(call, verification, found, change);
    if (final) runtime.timers.cancel(verificationTimer, found.sid);
    if (status === "approved") convert(call, after);
    tell(runtime, after, exchange.at);
    return after;
  });
}

/** The last send is what led to the approval. */
function convert(call: Call, { data }: Verification): void {
  const last = data.sends[data.sends.length - 1];
  const found = last && call.runtime.state.resource(attempt, last.attemptSid);
  if (found) changeResource(call, attempt, found, { data: { ...found.data, converted: true } });
}

/** A timer of kind `twilio.verification` fell due: the code is no longer valid. */
export function expireVerification(runtime: TwilioRuntime, timer: Timer): void {
  const found = runtime.state.resource(verification, timer.subject);
  if (!found || (found.data.status !== "pending" && found.data.status !== "max_attempts_reached")) return;
  const after = { ...found, key: null, updatedAt: timer.due, data: { ...found.data, status: "expired" as const } };
  runtime.state.changeResource(verification, after);
  tell(runtime, after, timer.due);
}

function tell(runtime: TwilioRuntime, { sid, parent, accountSid, data }: Verification, at: number): void {
  runtime.journal.append("change", sid, { resource: "verification", status: data.status, to: data.To });
  runtime.outbox.emit({
    type: `verification.${data.status}`,
    subject: sid,
    occurredAt: at,
    data: {
      sid,
      service_sid: parent,
      account_sid: accountSid,
      to: data.To,
      channel: data.Channel,
      status: data.status,
    },
  });
}

function render({ exchange }: Call, { sid, parent, accountSid, createdAt, updatedAt, data }: Verification): Shown {
  return {
    sid,
    service_sid: parent,
    account_sid: accountSid,
    to: data.To,
    channel: data.Channel,
    status: data.status,
    valid: data.status === "approved",
    lookup: {},
    amount: data.Amount,
    payee: data.Payee,
    send_code_attempts: data.sends.map(({ at, channel, attemptSid }) => ({
      time: iso(at),
      channel: attemptChannel(channel),
      attempt_sid: attemptSid,
    })),
    date_created: iso(createdAt),
    date_updated: iso(updatedAt),
    sna: null,
    url: `${exchange.base}/v2/Services/${parent}/Verifications/${sid}`,
  };
}

function renderCheck({ sid, parent, accountSid, createdAt, updatedAt, data }: Verification): Shown {
  return {
    sid,
    service_sid: parent,
    account_sid: accountSid,
    to: data.To,
    channel: data.Channel,
    status: data.status,
    valid: data.status === "approved",
    amount: data.Amount,
    payee: data.Payee,
    date_created: iso(createdAt),
    date_updated: iso(updatedAt),
    sna_attempts_error_codes: [],
  };
}
