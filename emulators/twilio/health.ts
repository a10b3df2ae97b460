import type { HealthCheck } from "../kernel/emulator.ts";
import { phoneNumber } from "./kinds.ts";
import type { TwilioState } from "./store.ts";

export const health: readonly HealthCheck<TwilioState>[] = [
  {
    name: "account",
    check({ state }) {
      const account = state.mainAccount("live");
      if (!account) throw new Error("no main account is seeded");
      if (!state.firstResource(phoneNumber, account.sid)) throw new Error(`account ${account.sid} has no phone number`);
    },
    hint: "Seed an account with a phone number: fixtures/seeds/twilio.yaml, or POST /_backlot/seed.",
  },
];
