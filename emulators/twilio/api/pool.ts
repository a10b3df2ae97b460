/** What a messaging service can send with. */
import { poolAlpha, poolNumber, poolShortCode } from "../kinds.ts";
import type { TwilioState } from "../store.ts";

/** E.164 numbers and short codes in the pool, in their order; alphanumeric senders are apart. */
export function poolOf(state: TwilioState, serviceSid: string): readonly string[] {
  const numbers = state.resourcesOf(poolNumber, serviceSid).map(({ data }) => data.PhoneNumber);
  const codes = state.resourcesOf(poolShortCode, serviceSid).map(({ data }) => data.PhoneNumber);
  return [...numbers, ...codes].sort();
}

export function alphaSenderOf(state: TwilioState, serviceSid: string): string | undefined {
  return state.firstResource(poolAlpha, serviceSid)?.data.PhoneNumber;
}
