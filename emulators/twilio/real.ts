import type { Emulator } from "../kernel/emulator.ts";

/** What an application needs to call Twilio itself. */
export const real: Emulator<unknown, unknown>["real"] = {
  service: "Twilio",
  required: [
    {
      env: "TWILIO_ACCOUNT_SID",
      about: "Account SID, from the dashboard of https://console.twilio.com",
      example: "ACxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    },
    { env: "TWILIO_AUTH_TOKEN", about: "Auth token of that account", example: "your_auth_token" },
    {
      env: "TWILIO_PHONE_NUMBER",
      about: "A number of that account that can send, in E.164 form",
      example: "+15017122661",
    },
  ],
  docs: "README.md#real-mode",
};
