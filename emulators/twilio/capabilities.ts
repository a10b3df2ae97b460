/** What of Twilio is emulated, and what of the rest clients ask for most. */
import type { Capability } from "../kernel/emulator.ts";

const account = "/2010-04-01/Accounts/{AccountSid}";
const messaging = "https://messaging.twilio.com/v1/Services";
const verify = "https://verify.twilio.com/v2";
const conversations = "https://conversations.twilio.com/v1";
const specification = "contract/twilio-openapi";

type Verb = "list" | "create" | "fetch" | "update" | "delete";
const everything: readonly Verb[] = ["list", "create", "fetch", "update", "delete"];

/** The operations of one resource: lists at `base`, single ones at `base/{name}`; the 2010 API's with `.json`. */
function resource(
  base: string,
  verbs: readonly Verb[],
  provedBy: readonly string[],
  more: { readonly name?: string; readonly note?: string } = {},
): readonly Capability[] {
  const end = base.startsWith("https:") ? "" : ".json";
  const one = `${base}/{${more.name ?? "Sid"}}${end}`;
  const operations: Readonly<Record<Verb, string>> = {
    list: `GET ${base}${end}`,
    create: `POST ${base}${end}`,
    fetch: `GET ${one}`,
    update: `POST ${one}`,
    delete: `DELETE ${one}`,
  };
  const state =
    more.note === undefined ? ({ status: "full" } as const) : ({ status: "partial", note: more.note } as const);
  return verbs.map((verb) => ({ operation: operations[verb], ...state, provedBy: [...provedBy, specification] }));
}

function single(operation: string, provedBy: readonly string[], note?: string): Capability {
  const state = note === undefined ? ({ status: "full" } as const) : ({ status: "partial", note } as const);
  return { operation, ...state, provedBy };
}

function absent(...operations: readonly string[]): readonly Capability[] {
  return operations.map((operation) => ({ operation, status: "absent", provedBy: [] }));
}

const messages = ["contract/twilio-messages", "twilio/message-routes"];
const resources = ["contract/twilio-resources"];
const calls = ["contract/twilio-calls", "contract/twilio-call-ends"];
const talks = ["contract/twilio-conversations"];
const channels = ["contract/twilio-channels"];

const notes = {
  messages:
    "SMS and MMS by number, short code or messaging service, WhatsApp by number, content templates, scheduling, validity, " +
    "smart encoding, applications, opt-outs, trial accounts, test credentials. WhatsApp takes free text for a day after the " +
    "recipient wrote (63016), templates need no approval, what is delivered is read; senders are in the seed. Accepted without effect: MaxPrice, ProvideFeedback, ForceDelivery, ContentRetention, " +
    "AddressRetention, ShortenUrls, RiskCheck. Not yet: other channels, WhatsApp by messaging service (63007). Sending " +
    "rates per sender apply after PUT /_backlot/twilio/sending-rates. Recipients with a decided outcome: +12025550131 failed 30001; +12025550133, 0134, 0135, 0136, " +
    "0137, 0138 undelivered 30003 to 30008; +12025550139 failed 30034.",
  calls:
    "Dials, rings, runs TwiML, records. Callees with a decided outcome: +12025550141 busy, 0142 no-answer, 0143 failed, " +
    "0144 a machine. Accepted without effect: SendDigits, AsyncAmd, CallReason, Trim, SIP credentials, and of a Dial sequential, " +
    "answerOnBridge and the url and sendDigits of its nouns. TwiML carried out: " +
    "Say, Play, Pause, Gather, Record, Dial (Number, Client and Sip, several at once, Conference, Queue), Enqueue with waitUrl, Leave, Redirect, " +
    "Hangup, Reject; other verbs are written down and passed over.",
  numbers:
    "Bought numbers cost nothing; emergency addresses are registered at once; bundles and identities are not checked.",
  available:
    "28 countries; offers follow from the seed. Filters by area code, pattern, capability, region, locality, postal code, rate " +
    "center and LATA; nearness, beta and address requirements are accepted without effect. National, Voip, SharedCost and MachineToMachine have no offers.",
  callerIds:
    "Whoever answers the validating call is taken to type the right code; Extension is accepted without effect.",
  usage:
    "Counted from messages, calls, numbers, recordings and verifications; categories of other products are not shown.",
  recordings: "Lengths and states are real, the sound is not there. Accepted without effect: Trim, PauseBehavior.",
  verifications:
    "Codes are read at /_backlot/twilio/verifications. Templates, rate limits, PSD2 texts, silent network authentication " +
    "and risk checks are accepted without effect.",
  lookups:
    "Country, form and validity are derived from the number for 28 countries; packages are made up from it; pre_fill and " +
    "phone_number_quality_score stay null.",
  conversations:
    "Goes out to participants with a number, and what they send comes in; their media do not. Media, roles, bindings and " +
    "account-wide webhooks are absent.",
  conferences:
    "Who is in, muted or held, and who is told: start, end, join, leave, mute, hold and modify; nobody is heard speaking. " +
    "Announcements, hold music and the record of a Conference are accepted without effect.",
} as const;

const conversationTree = (tree: string): readonly Capability[] => [
  ...resource(`${tree}/Conversations`, everything, talks, { note: notes.conversations }),
  ...resource(`${tree}/Conversations/{ConversationSid}/Participants`, everything, talks),
  ...resource(`${tree}/Conversations/{ConversationSid}/Messages`, everything, talks, { note: notes.conversations }),
  ...resource(`${tree}/Conversations/{ConversationSid}/Messages/{MessageSid}/Receipts`, ["list", "fetch"], talks),
  ...resource(`${tree}/Conversations/{ConversationSid}/Webhooks`, everything, talks, {
    note: "Told of everything but onDeliveryUpdated; studio flows are kept, not run.",
  }),
  ...resource(`${tree}/Users`, everything, talks),
  ...resource(`${tree}/Users/{UserSid}/Conversations`, ["list", "fetch", "update", "delete"], talks, {
    name: "ConversationSid",
  }),
];

export const capabilities: readonly Capability[] = [
  ...resource(
    "/2010-04-01/Accounts",
    ["list", "create", "fetch", "update"],
    [...resources, "contract/twilio-accounts"],
  ),
  ...resource(
    `${account}/Messages`,
    ["create"],
    [...messages, ...channels, "contract/twilio-life", "contract/twilio-trial"],
    {
      note: notes.messages,
    },
  ),
  ...resource(`${account}/Messages`, ["list", "fetch", "update", "delete"], messages),
  ...resource(`${account}/Messages/{MessageSid}/Media`, ["list", "fetch", "delete"], ["contract/twilio-inbound"], {
    note: "The bytes of media are not there.",
  }),
  single(`POST ${account}/Messages/{MessageSid}/Feedback.json`, [specification]),
  ...resource(`${account}/Calls`, ["list", "create", "fetch", "update", "delete"], calls, { note: notes.calls }),
  ...resource(`${account}/Calls/{CallSid}/Recordings`, everything, calls, { note: notes.recordings }),
  ...resource(`${account}/Recordings`, ["list", "fetch", "delete"], calls, { note: notes.recordings }),
  ...resource(`${account}/IncomingPhoneNumbers`, everything, resources, { note: notes.numbers }),
  ...["Local", "Mobile", "TollFree"].flatMap((type) =>
    resource(`${account}/IncomingPhoneNumbers/${type}`, ["list", "create"], resources, { note: notes.numbers }),
  ),
  ...resource(`${account}/AvailablePhoneNumbers`, ["list", "fetch"], resources, {
    name: "CountryCode",
    note: notes.available,
  }),
  ...["Local", "Mobile", "TollFree", "National", "Voip", "SharedCost", "MachineToMachine"].flatMap((type) =>
    resource(`${account}/AvailablePhoneNumbers/{CountryCode}/${type}`, ["list"], resources, { note: notes.available }),
  ),
  ...resource(`${account}/Keys`, everything, [...resources, "contract/twilio-accounts"]),
  ...resource(`${account}/SigningKeys`, everything, [...resources, "contract/twilio-accounts"]),
  single(`GET ${account}/Balance.json`, [...resources, "contract/twilio-accounts", specification]),
  ...[
    "",
    ...["AllTime", "Daily", "LastMonth", "Monthly", "ThisMonth", "Today", "Yearly", "Yesterday"].map((n) => `/${n}`),
  ].flatMap((span) =>
    resource(`${account}/Usage/Records${span}`, ["list"], [...resources, "contract/twilio-accounts"], {
      note: notes.usage,
    }),
  ),
  ...resource(`${account}/OutgoingCallerIds`, everything, resources, { note: notes.callerIds }),
  ...resource(`${account}/Addresses`, everything, resources),
  ...resource(`${account}/Addresses/{AddressSid}/DependentPhoneNumbers`, ["list"], resources),
  ...resource(`${account}/Applications`, everything, resources),
  ...resource(`${account}/Conferences`, ["list", "fetch", "update"], calls, { note: notes.conferences }),
  ...resource(`${account}/Conferences/{ConferenceSid}/Participants`, everything, calls, {
    name: "CallSid",
    note: notes.conferences,
  }),
  ...resource(`${account}/Conferences/{ConferenceSid}/Recordings`, ["list", "fetch", "update", "delete"], [], {
    note: notes.recordings,
  }),
  ...resource(`${account}/Queues`, everything, calls),
  ...resource(`${account}/Queues/{QueueSid}/Members`, ["list", "fetch", "update"], calls, { name: "CallSid" }),

  ...resource(messaging, everything, resources),
  ...["PhoneNumbers", "ShortCodes", "AlphaSenders"].flatMap((senders) =>
    resource(`${messaging}/{ServiceSid}/${senders}`, ["list", "create", "fetch", "delete"], resources),
  ),
  ...resource(`${verify}/Services`, everything, ["contract/twilio-verify"]),
  ...resource(
    `${verify}/Services/{ServiceSid}/Verifications`,
    ["create", "fetch", "update"],
    ["contract/twilio-verify"],
    {
      note: notes.verifications,
    },
  ),
  single(`POST ${verify}/Services/{ServiceSid}/VerificationCheck`, ["contract/twilio-verify", specification]),
  ...resource(`${verify}/Attempts`, ["list", "fetch"], ["contract/twilio-verify"]),
  single(`GET ${verify}/Attempts/Summary`, ["contract/twilio-verify", specification]),
  ...resource("https://lookups.twilio.com/v2/PhoneNumbers", ["fetch"], ["contract/twilio-verify"], {
    name: "PhoneNumber",
    note: notes.lookups,
  }),
  single(
    "POST https://oauth.twilio.com/v1/token",
    ["contract/twilio-verify"],
    "The older form: parameters in either case.",
  ),
  single(
    "POST https://oauth.twilio.com/v2/token",
    ["contract/twilio-verify", specification],
    "Client credentials only, of an OAuth app or an API key; no refresh tokens.",
  ),
  ...["GET", "POST"].map((method) => single(`${method} https://content.twilio.com/v1/Content`, channels)),
  ...["GET", "DELETE"].map((method) => single(`${method} https://content.twilio.com/v1/Content/{Sid}`, channels)),
  ...resource(`${conversations}/Services`, ["list", "create", "fetch", "delete"], talks),
  ...conversationTree(conversations),
  ...conversationTree(`${conversations}/Services/{ChatServiceSid}`),

  single(
    "POST {StatusCallback}",
    ["contract/twilio-callbacks", "twilio/signature"],
    "Signed, retried and timed as the URL's fragment asks by rc, rp, ct, rt and tt; the egress edge (e) has no effect.",
  ),
  single(
    "POST {SmsUrl}",
    ["contract/twilio-inbound"],
    "Simulated by POST /_backlot/twilio/inbound-messages; TwiML Message and Redirect.",
  ),
  single(
    "POST {VoiceUrl}",
    ["contract/twilio-calls"],
    "Simulated by POST /_backlot/twilio/inbound-calls, calls/{Sid}/input and calls/{Sid}/hangup.",
  ),
  ...absent(
    `POST ${account}/Usage/Triggers.json`,
    `GET ${account}/Notifications.json`,
    `POST ${account}/SIP/Domains.json`,
    `POST ${account}/Tokens.json`,
    `POST ${verify}/Services/{ServiceSid}/Webhooks`,
    `POST ${verify}/Services/{ServiceSid}/RateLimits`,
    `POST ${verify}/Services/{ServiceSid}/Entities`,
    "GET https://lookups.twilio.com/v1/PhoneNumbers/{PhoneNumber}",
    "PUT https://content.twilio.com/v1/Content/{Sid}",
    "POST https://content.twilio.com/v1/Content/{Sid}/ApprovalRequests/whatsapp",
    `POST ${messaging}/{ServiceSid}/ChannelSenders`,
    `POST ${messaging}/{ServiceSid}/Compliance/Usa2p`,
    "POST https://messaging.twilio.com/v1/Tollfree/Verifications",
    "GET https://pricing.twilio.com/v2/Voice/Countries",
    "POST https://taskrouter.twilio.com/v1/Workspaces",
    "POST https://studio.twilio.com/v2/Flows",
    "POST https://sync.twilio.com/v1/Services",
    "POST https://video.twilio.com/v1/Rooms",
  ),
];
