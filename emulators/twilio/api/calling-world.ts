/** What a new call is planned against: the numbers and applications of the account. */
import type { CallingWorld } from "../domain/call-draft.ts";
import { application, phoneNumber } from "../kinds.ts";
import type { Call } from "./call.ts";
import { hasCallerId } from "./caller-ids.ts";

/** What `POST Calls` and `POST Participants` may count on. */
export function callingWorld({ runtime: { state }, account }: Call): CallingWorld {
  return {
    test: account.test === 1,
    trial: account.type === "Trial",
    mayCallFrom: (number) => hasCallerId(state, account.sid, number),
    phoneNumberSid: (number) => state.resourceByKey(phoneNumber, number)?.sid ?? null,
    application(sid) {
      const found = state.resource(application, sid);
      if (found?.accountSid !== account.sid) return undefined;
      const { data } = found;
      return {
        url: data.VoiceUrl || null,
        method: data.VoiceMethod,
        fallbackUrl: data.VoiceFallbackUrl || null,
        fallbackMethod: data.VoiceFallbackMethod,
        statusCallback: data.StatusCallback || null,
        statusCallbackMethod: data.StatusCallbackMethod,
      };
    },
  };
}
