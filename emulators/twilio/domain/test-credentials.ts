/**
 * Test credentials: magic numbers decide, nothing is stored, charged or called back.
 * https://www.twilio.com/docs/iam/test-credentials
 */
import type { Problem } from "../errors.ts";
import { type MessageParameters, type Planned, segmentsOf, whatIsMissing } from "./message-draft.ts";
import { masked, parseRecipient, parseSender } from "./phone-numbers.ts";

const valid = "+15005550006";

export function planTestMessage(parameters: MessageParameters): Planned {
  const incomplete = whatIsMissing(parameters);
  if (incomplete) return { tag: "rejected", problem: incomplete };
  // Test credentials have no templates.
  const { contentSid } = parameters;
  if (contentSid !== undefined) return { tag: "rejected", problem: { name: "contentMissing", values: [contentSid] } };
  const given = parameters.to ?? "";
  const to = parseRecipient(given);
  const sender = parseSender(parameters.from ?? "").value;
  const problem =
    to === undefined
      ? { name: "invalidTo" as const, values: [masked(given)] }
      : (recipientProblem(to, sender) ?? senderProblem(sender));
  if (problem || to === undefined) return { tag: "rejected", problem: problem ?? { name: "toMissing" } };
  const body = parameters.body ?? "";
  return {
    tag: "draft",
    draft: {
      to,
      from: sender,
      messagingServiceSid: null,
      body,
      mediaUrls: parameters.mediaUrls,
      statusCallback: null,
      status: "queued",
      numSegments: segmentsOf(body, parameters.mediaUrls.length, parameters.smartEncoded),
      sendAt: null,
      validityPeriod: null,
      smartEncoded: parameters.smartEncoded,
    },
  };
}

function recipientProblem(to: string, from: string): Problem | undefined {
  switch (to) {
    case "+15005550001":
      return { name: "invalidTo", values: [masked(to)] };
    case "+15005550002":
      return { name: "unroutable", values: [masked(to), masked(from)] };
    case "+15005550003":
      return { name: "geoPermission", values: [masked(to)] };
    case "+15005550004":
      return { name: "unsubscribed" };
    case "+15005550009":
      return { name: "notMobile", values: [to] };
    default:
      return undefined;
  }
}

function senderProblem(from: string): Problem | undefined {
  switch (from) {
    case valid:
      return undefined;
    case "+15005550001":
      return { name: "invalidFrom", values: [from] };
    case "+15005550008":
      return { name: "queueFull" };
    default:
      return { name: "fromNotCapable", values: [from] };
  }
}
