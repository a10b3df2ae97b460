/** verify.twilio.com/v2: services. */
import { verifyServiceParameters } from "../domain/verification.ts";
import { type Problem, reject } from "../errors.ts";
import { type VerifyServiceData, verification, verifyService } from "../kinds.ts";
import type { ResourceSpec } from "./resource.ts";

export const verifyDomain = "verify.twilio.com";

export const verifyServiceSpec: ResourceSpec<VerifyServiceData> = {
  kind: verifyService,
  name: "Service",
  path: "/v2/Services",
  domain: verifyDomain,
  list: "services",
  operations: ["create", "list", "fetch", "update", "remove"],
  parameters: verifyServiceParameters,
  shows: [
    ...[
      "sid",
      "account_sid",
      "friendly_name",
      "code_length",
      "lookup_enabled",
      "psd2_enabled",
      "skip_sms_to_landlines",
    ],
    ...["dtmf_input_required", "tts_name", "do_not_share_warning_enabled", "custom_code_enabled", "push", "totp"],
    ...["default_template_sid", "whatsapp", "passkeys", "verify_event_subscription_enabled", "date_created"],
    ...["date_updated", "url", "links"],
  ],
  prepare: (_call, data) => ({ data: checked(data) }),
  revise: (_call, _before, data) => ({ data: checked(data) }),
  refused: verifyProblem,
  view({ sid, data }, { exchange }) {
    const url = `${exchange.base}/v2/Services/${sid}`;
    return {
      url,
      push: {
        include_date: data["Push.IncludeDate"],
        apn_credential_sid: data["Push.ApnCredentialSid"],
        fcm_credential_sid: data["Push.FcmCredentialSid"],
      },
      totp: {
        issuer: data["Totp.Issuer"],
        time_step: data["Totp.TimeStep"],
        code_length: data["Totp.CodeLength"],
        skew: data["Totp.Skew"],
      },
      whatsapp: { msg_service_sid: data["Whatsapp.MsgServiceSid"], from: data["Whatsapp.From"] },
      passkeys: null,
      links: {
        verification_checks: `${url}/VerificationCheck`,
        verifications: `${url}/Verifications`,
        rate_limits: `${url}/RateLimits`,
        messaging_configurations: `${url}/MessagingConfigurations`,
        entities: `${url}/Entities`,
        webhooks: `${url}/Webhooks`,
        access_tokens: `${url}/AccessTokens`,
      },
    };
  },
  removing({ runtime }, { sid }) {
    for (const one of runtime.state.resourcesOf(verification, sid)) runtime.state.removeResource(verification, one.sid);
  },
};

function checked(data: VerifyServiceData): VerifyServiceData {
  // A name that reads like a code would be mistaken for one.
  if (/\d{5}/.test(data.FriendlyName)) reject("verifyInvalid", "FriendlyName", data.FriendlyName);
  return data["Totp.Issuer"] === "" ? { ...data, "Totp.Issuer": data.FriendlyName } : data;
}

/** Verify has a code of its own for what other products call an invalid parameter. */
export function verifyProblem(problem: Problem): Problem {
  return problem.name === "invalidParameter" ? { ...problem, name: "verifyInvalid" } : problem;
}
