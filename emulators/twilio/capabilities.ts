/** What of Twilio is emulated, and what of the rest clients ask for most. */
import type { Capability } from "../kernel/emulator.ts";

const account = "/2010-04-01/Accounts/{AccountSid}";
const messages = ["contract/twilio-messages", "twilio/message-routes"];

export const capabilities: readonly Capability[] = [
  {
    operation: `POST ${account}/Messages.json`,
    status: "partial",
    provedBy: ["contract/twilio-messages", "contract/twilio-life", "twilio/message-routes"],
    note:
      "SMS and MMS by number or messaging service, scheduling, validity, test credentials. Accepted without effect: " +
      "SmartEncoded, MaxPrice, ProvideFeedback, ForceDelivery, ContentRetention, AddressRetention, ShortenUrls, " +
      "RiskCheck. Not yet: ApplicationSid, ContentSid (21655), channels other than SMS (63007), opt-outs. Recipients " +
      "with a decided outcome: +12025550131 failed 30001; +12025550133, 0134, 0135, 0136, 0137, 0138 undelivered 30003 " +
      "to 30008; +12025550139 failed 30034.",
  },
  { operation: `GET ${account}/Messages.json`, status: "full", provedBy: messages },
  { operation: `GET ${account}/Messages/{Sid}.json`, status: "full", provedBy: messages },
  { operation: `POST ${account}/Messages/{Sid}.json`, status: "full", provedBy: messages },
  { operation: `DELETE ${account}/Messages/{Sid}.json`, status: "full", provedBy: messages },
  { operation: "GET /2010-04-01/Accounts/{Sid}.json", status: "full", provedBy: ["contract/twilio-access"] },
  {
    operation: "POST {StatusCallback}",
    status: "partial",
    provedBy: ["contract/twilio-callbacks", "twilio/signature"],
    note: "Signed and retried as the URL's fragment asks by rc and rp; its timeouts (ct, rt, tt) and egress edge are not applied.",
  },
  { operation: `POST ${account}/Messages/{MessageSid}/Feedback.json`, status: "absent", provedBy: [] },
  { operation: `GET ${account}/Messages/{MessageSid}/Media.json`, status: "absent", provedBy: [] },
  { operation: "POST /2010-04-01/Accounts.json", status: "absent", provedBy: [] },
  { operation: `POST ${account}/Calls.json`, status: "absent", provedBy: [] },
  { operation: `POST ${account}/IncomingPhoneNumbers.json`, status: "absent", provedBy: [] },
  { operation: "POST https://messaging.twilio.com/v1/Services", status: "absent", provedBy: [] },
  {
    operation: "POST https://verify.twilio.com/v2/Services/{ServiceSid}/Verifications",
    status: "absent",
    provedBy: [],
  },
  { operation: "GET https://lookups.twilio.com/v2/PhoneNumbers/{PhoneNumber}", status: "absent", provedBy: [] },
  { operation: "POST https://oauth.twilio.com/v2/token", status: "absent", provedBy: [] },
  { operation: "POST https://conversations.twilio.com/v1/Conversations", status: "absent", provedBy: [] },
];
