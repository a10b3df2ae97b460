/** OutgoingCallerIds: numbers of other providers that an account may show, once a call has validated them. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { planCall } from "../domain/call-draft.ts";
import { friendlyForm } from "../domain/countries.ts";
import { method, type Parameters, readParameters, required, text, url, whole } from "../domain/parameters.ts";
import { normalisePhone } from "../domain/phone-numbers.ts";
import { failure, reject } from "../errors.ts";
import { callerId, call as callKind, phoneNumber, validation } from "../kinds.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { beginCall } from "./call-life.ts";
import { callOf, makeResource, mountResource, pathsOf, type ResourceSpec, respondShown } from "./resource.ts";

const callerIdSpec: ResourceSpec<{ FriendlyName: string; PhoneNumber: string }, { FriendlyName: string }> = {
  kind: callerId,
  name: "OutgoingCallerId",
  path: "/2010-04-01/Accounts/:account/OutgoingCallerIds",
  list: "outgoing_caller_ids",
  operations: ["list", "fetch", "update", "remove"],
  parameters: { FriendlyName: text("", 64) },
  shows: ["sid", "date_created", "date_updated", "friendly_name", "account_sid", "phone_number", "uri"],
  prepare: () => reject("forbidden"),
  revise: (_call, resource, { FriendlyName }) => ({ data: { ...resource.data, FriendlyName } }),
  filters: {
    PhoneNumber: ({ data }, value) => data.PhoneNumber === (normalisePhone(value) ?? value),
    FriendlyName: ({ data }, value) => data.FriendlyName === value,
  },
};

interface Asked {
  readonly PhoneNumber: string;
  readonly FriendlyName: string;
  readonly CallDelay: number;
  readonly Extension: string;
  readonly StatusCallback: string;
  readonly StatusCallbackMethod: string;
}

const asked: Parameters<Asked> = {
  PhoneNumber: required(text("")),
  FriendlyName: text("", 64),
  CallDelay: whole(0, 0, 60),
  Extension: text(""),
  StatusCallback: url(""),
  StatusCallbackMethod: method("POST"),
};

/** Who calls to validate: in the range that is kept for fiction, like every number here. */
const validatingNumber = "+12025550199";

export function mountOutgoingCallerIds(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  mountResource(app, runtime, callerIdSpec);
  for (const path of pathsOf(callerIdSpec.path)) app.post(path, (c) => validate(callOf(runtime, c)));
}

/** Calls the number; whoever answers is taken to type the right code. */
function validate(call: Call): Response {
  const { runtime, exchange, account, form } = call;
  exchange.note("operation", "CreateValidationRequest");
  const reading = readParameters(asked, form);
  if (!reading.ok) throw failure(reading.problem);
  const { PhoneNumber: sent, CallDelay, Extension: _, ...settings } = reading.value;
  const number = normalisePhone(sent) ?? reject("invalidTo", sent);
  if (runtime.state.resourceByKey(phoneNumber, number)?.accountSid === account.sid) reject("callerIdOwned");
  const known = runtime.state.resourcesOf(callerId, account.sid);
  if (known.some(({ data }) => data.PhoneNumber === number)) reject("callerIdKnown");
  const FriendlyName = settings.FriendlyName || friendlyForm(number);
  const code = runtime.ids.derive("twilio.validation-code", [account.sid, number]).text(6, "0123456789");
  const planned = planCall(
    new URLSearchParams({ To: number, From: validatingNumber, Twiml: "<Response><Pause length='5'/></Response>" }),
    { test: false, trial: false, mayCallFrom: () => true, phoneNumberSid: () => null, application: () => undefined },
  );
  if (planned.tag === "rejected") throw failure(planned.problem);
  const callSid = `CA${runtime.ids.derive("twilio.validation-call", [account.sid, number]).hex(32)}`;
  runtime.store.write(() => {
    const data = { ...settings, FriendlyName, PhoneNumber: number };
    makeResource(call, validation, { parent: account.sid, key: callSid, data });
    makeResource(call, callKind, { parent: account.sid, data: planned.data, sid: callSid }, (made) =>
      beginCall(runtime, made, CallDelay * 1_000),
    );
  });
  const body = {
    account_sid: account.sid,
    call_sid: callSid,
    friendly_name: FriendlyName,
    phone_number: number,
    validation_code: code,
  };
  return respondShown(call, { name: "ValidationRequest" }, body, 200);
}
