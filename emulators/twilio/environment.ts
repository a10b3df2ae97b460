import type { Address } from "../kernel/emulator.ts";
import type { TwilioRuntime } from "./api/call.ts";
import { apiKey, messagingService, oauthApp, phoneNumber, verifyService } from "./kinds.ts";

/** The variables that point a client here: those of the first main account and what belongs to it. */
export function environment({ state }: TwilioRuntime, addresses: readonly Address[]): Readonly<Record<string, string>> {
  const account = state.mainAccount("live");
  if (!account) return {};
  const key = state.firstResource(apiKey, account.sid);
  const app = state.firstResource(oauthApp, account.sid);
  const address = addresses.find(({ name }) => name === "api");
  const variables: readonly (readonly [string, string | undefined])[] = [
    ["TWILIO_ACCOUNT_SID", account.sid],
    ["TWILIO_AUTH_TOKEN", account.authToken],
    ["TWILIO_API_KEY", key?.sid],
    ["TWILIO_API_SECRET", key?.data.secret],
    ["TWILIO_PHONE_NUMBER", state.firstResource(phoneNumber, account.sid)?.key ?? undefined],
    ["TWILIO_MESSAGING_SERVICE_SID", state.firstResource(messagingService, account.sid)?.sid],
    ["TWILIO_VERIFY_SERVICE_SID", state.firstResource(verifyService, account.sid)?.sid],
    ["TWILIO_CLIENT_ID", app?.sid],
    ["TWILIO_CLIENT_SECRET", app?.data.secret],
    ["BACKLOT_TWILIO_URL", address && `${address.scheme}://${address.host}:${address.port}`],
  ];
  const set: Record<string, string> = {};
  for (const [name, value] of variables) if (value !== undefined) set[name] = value;
  return set;
}
