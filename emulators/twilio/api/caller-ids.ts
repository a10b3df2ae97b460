/** The numbers that an account may show as its own. */
import { callerId, phoneNumber } from "../kinds.ts";
import type { TwilioState } from "../store.ts";

/** Whether the account has the number or has verified it. */
export function hasCallerId(state: TwilioState, accountSid: string, number: string): boolean {
  return (
    state.resourceByKey(phoneNumber, number)?.accountSid === accountSid ||
    state.resourcesOf(callerId, accountSid).some(({ data }) => data.PhoneNumber === number)
  );
}
