import type { Address } from "../kernel/emulator.ts";
import type { TwilioRuntime } from "./api/call.ts";

/** The variables that point a client here: those of the first main account and what belongs to it. */
export function environment({ state }: TwilioRuntime, addresses: readonly Address[]): Readonly<Record<string, string>> {
  const account = state.mainAccount("live");
  if (!account) return {};
  const key = state.firstApiKey(account.sid);
  const address = addresses.find(({ name }) => name === "api");
  const variables: readonly (readonly [string, string | undefined])[] = [
    ["TWILIO_ACCOUNT_SID", account.sid],
    ["TWILIO_AUTH_TOKEN", account.authToken],
    ["TWILIO_API_KEY", key?.sid],
    ["TWILIO_API_SECRET", key?.secret],
    ["TWILIO_PHONE_NUMBER", state.firstPhoneNumber(account.sid)?.phoneNumber],
    ["TWILIO_MESSAGING_SERVICE_SID", state.firstMessagingService(account.sid)?.sid],
    ["TWILIO_VERIFY_SERVICE_SID", state.firstVerifyService(account.sid)?.sid],
    ["BACKLOT_TWILIO_URL", address && `${address.scheme}://${address.host}:${address.port}`],
  ];
  const set: Record<string, string> = {};
  for (const [name, value] of variables) if (value !== undefined) set[name] = value;
  return set;
}
