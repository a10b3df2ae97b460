/** From the parameters of `POST Calls` to a call that can be kept, or to the reason why not. */
import type { Problem } from "../errors.ts";
import { type CallData, type CallEvent, callEvents } from "./call.ts";
import { isWebhookUrl } from "./message-draft.ts";
import { masked, normalisePhone } from "./phone-numbers.ts";
import { parseTwiml } from "./twiml.ts";

export interface CallingWorld {
  readonly test: boolean;
  /** A trial account calls numbers that it has or has verified. */
  readonly trial: boolean;
  /** Whether the account may call from this number: its own, or a verified caller id. */
  mayCallFrom(number: string): boolean;
  phoneNumberSid(number: string): string | null;
  application(
    sid: string,
  ):
    | Pick<CallData, "url" | "method" | "fallbackUrl" | "fallbackMethod" | "statusCallback" | "statusCallbackMethod">
    | undefined;
}

export type PlannedCall =
  | { readonly tag: "draft"; readonly data: CallData }
  | { readonly tag: "rejected"; readonly problem: Problem };

const longestTwiml = 4_000;
const client = /^client:[^\s]{1,121}$/;
const sip = /^sips?:[^\s@]+@[^\s]+$/;

export function planCall(form: URLSearchParams, world: CallingWorld): PlannedCall {
  const problem = (name: Problem["name"], ...values: string[]): PlannedCall => ({
    tag: "rejected",
    problem: { name, values },
  });
  const given = (name: string) => form.get(name) || undefined;
  const sentTo = given("To");
  const sentFrom = given("From");
  if (sentTo === undefined) return problem("callToMissing");
  if (sentFrom === undefined) return problem("callFromMissing");
  const to = partyOf(sentTo);
  const from = partyOf(sentFrom);
  if (world.test) {
    const magic = testProblem(sentTo.trim(), sentFrom.trim());
    if (magic) return { tag: "rejected", problem: magic };
  }
  if (to === undefined) return problem("callToInvalid", masked(sentTo));
  if (from === undefined) return problem("callFromInvalid", sentFrom);
  if (!world.test && from.startsWith("+") && !world.mayCallFrom(from)) return problem("callFromUnverified", from);
  if (world.trial && to.startsWith("+") && !world.mayCallFrom(to)) return problem("unverifiedCallee", to);
  const options = optionProblem(form);
  if (options) return { tag: "rejected", problem: options };
  const applicationSid = given("ApplicationSid");
  const application = applicationSid === undefined ? undefined : world.application(applicationSid);
  if (applicationSid !== undefined && !application) return problem("callApplication", applicationSid);
  const url = given("Url") ?? application?.url ?? null;
  const twiml = url === null ? (given("Twiml") ?? null) : null;
  if (url === null && twiml === null) return problem("callUrlMissing");
  const sentEvents = wordsOf(form, "StatusCallbackEvent");
  const events = callEvents.filter((event) => sentEvents.includes(event));
  return {
    tag: "draft",
    data: {
      to,
      from,
      status: "queued",
      direction: "outbound-api",
      parentCallSid: null,
      phoneNumberSid: world.phoneNumberSid(from),
      answeredBy: null,
      dialled: false,
      startedAt: null,
      endedAt: null,
      seconds: null,
      price: null,
      url,
      method: given("Method") ?? application?.method ?? "POST",
      fallbackUrl: given("FallbackUrl") ?? application?.fallbackUrl ?? null,
      fallbackMethod: given("FallbackMethod") ?? application?.fallbackMethod ?? "POST",
      twiml,
      statusCallback: given("StatusCallback") ?? application?.statusCallback ?? null,
      statusCallbackMethod: given("StatusCallbackMethod") ?? application?.statusCallbackMethod ?? "POST",
      statusCallbackEvents: events.length > 0 ? events : (["completed"] as const satisfies readonly CallEvent[]),
      timeout: Math.min(Number(given("Timeout") ?? 60), 600),
      timeLimit: Number(given("TimeLimit") ?? 14_400),
      machineDetection: /^(Enable|DetectMessageEnd)$/.test(given("MachineDetection") ?? ""),
      record:
        given("Record") === "true"
          ? {
              channels: given("RecordingChannels") === "dual" ? 2 : 1,
              statusCallback: given("RecordingStatusCallback") ?? null,
              statusCallbackMethod: given("RecordingStatusCallbackMethod") ?? "POST",
              events: wordsOf(form, "RecordingStatusCallbackEvent"),
              track: given("RecordingTrack") ?? "both",
            }
          : null,
      recordingSid: null,
      sequence: 0,
      script: null,
    },
  };
}

/** A number in E.164 form, `client:name`, `sip:…`; undefined when it is none of them. */
export function partyOf(text: string): string | undefined {
  const trimmed = text.trim();
  return client.test(trimmed) || sip.test(trimmed) ? trimmed : normalisePhone(trimmed);
}

/** Events are sent one by one, or several in one value with spaces between them. */
export function wordsOf(form: URLSearchParams, name: string): readonly string[] {
  return form
    .getAll(name)
    .flatMap((text) => text.split(/[ ,]+/))
    .filter(Boolean);
}

const optionUrls = [
  ...["Url", "FallbackUrl", "StatusCallback", "RecordingStatusCallback", "AsyncAmdStatusCallback"],
  "ConferenceStatusCallback",
];
const optionWords: Readonly<Record<string, readonly string[]>> = {
  ConferenceStatusCallbackEvent: ["start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"],
  RecordingChannels: ["mono", "dual"],
  RecordingStatusCallbackEvent: ["in-progress", "completed", "absent"],
  RecordingTrack: ["inbound", "outbound", "both"],
  Trim: ["trim-silence", "do-not-trim"],
};

/** What is wrong with the options that calls, their updates and their recordings share. */
export function optionProblem(form: URLSearchParams): Problem | undefined {
  for (const name of optionUrls) {
    const value = form.get(name);
    if (value && !isWebhookUrl(value))
      return { name: name === "StatusCallback" ? "invalidStatusCallback" : "callUrlInvalid", values: [value] };
  }
  for (const name of ["Method", "FallbackMethod", "StatusCallbackMethod", "RecordingStatusCallbackMethod"]) {
    const value = form.get(name);
    if (value && value !== "GET" && value !== "POST") return { name: "callMethod", values: [value] };
  }
  for (const [name, words] of Object.entries(optionWords)) {
    const odd = wordsOf(form, name).find((word) => !words.includes(word));
    if (odd !== undefined) return { name: "invalidParameter", values: [name, odd] };
  }
  const digits = form.get("SendDigits");
  if (digits && !/^[0-9A-D#*wW]{1,32}$/.test(digits)) return { name: "callDigits", values: [digits] };
  for (const name of ["Timeout", "TimeLimit"]) {
    const value = form.get(name);
    if (value && !/^\d{1,5}$/.test(value)) return { name: "callTimeout", values: [value] };
  }
  const events = wordsOf(form, "StatusCallbackEvent");
  const unknown = events.find((event) => !callEvents.some((known) => known === event));
  if (unknown !== undefined) return { name: "callEvent", values: [unknown] };
  const twiml = form.get("Twiml");
  if (!form.get("Url") && twiml && (twiml.length > longestTwiml || parseTwiml(twiml).tag === "malformed"))
    return { name: "invalidParameter", values: ["Twiml", twiml.slice(0, 40)] };
  return undefined;
}

/** https://www.twilio.com/docs/iam/test-credentials#test-calls */
function testProblem(to: string, from: string): Problem | undefined {
  const callees: Readonly<Record<string, Problem["name"]>> = {
    "+15005550001": "callToInvalid",
    "+15005550002": "callUnreachable",
    "+15005550003": "callGeo",
    "+15005550004": "callBlocked",
  };
  const name = callees[to];
  if (name) return { name, values: [to] };
  if (from === "+15005550001") return { name: "callFromInvalid", values: [from] };
  return from === "+15005550006" ? undefined : { name: "callFromUnverified", values: [from] };
}
