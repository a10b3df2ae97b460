/** The media of a message, and the feedback on it. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import type { Message } from "../domain/message.ts";
import { isWithin } from "../domain/paging.ts";
import { reject, resourcePath } from "../errors.ts";
import { feedback, type MediaData, media } from "../kinds.ts";
import { rfc2822 } from "../wire/dates.ts";
import { wantsXml } from "../wire/headers.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import {
  callOf,
  changeResource,
  makeResource,
  mountResource,
  pathsOf,
  type ResourceSpec,
  respondShown,
} from "./resource.ts";

const messages = "/2010-04-01/Accounts/:account/Messages/:message";

const mediaSpec: ResourceSpec<MediaData, object> = {
  kind: media,
  name: "Media",
  path: `${messages}/Media`,
  list: "media_list",
  operations: ["list", "fetch", "remove"],
  parameters: {},
  shows: ["account_sid", "content_type", "date_created", "date_updated", "parent_sid", "sid", "uri"],
  parent: (call) => messageIn(call).sid,
  prepare: () => reject("forbidden"),
  view: ({ data, parent }) => ({ content_type: data.contentType, parent_sid: parent }),
  filters: Object.fromEntries(
    ["DateCreated", "DateCreated<", "DateCreated>"].map((name) => [
      name,
      ({ createdAt }, _value, { query }) => isWithin(query, "DateCreated", createdAt),
    ]),
  ),
};

export function mountMedia(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  mountResource(app, runtime, mediaSpec);
  for (const path of pathsOf(`${messages}/Feedback`)) app.post(path, (c) => giveFeedback(callOf(runtime, c)));
}

/** One per message: what comes later takes its place. */
function giveFeedback(call: Call): Response {
  call.exchange.note("operation", "CreateMessageFeedback");
  const message = messageIn(call);
  const Outcome = call.form.get("Outcome") || "confirmed";
  if (Outcome !== "confirmed" && Outcome !== "unconfirmed") reject("invalidParameter", "Outcome", Outcome);
  const known = call.runtime.state.resource(feedback, message.sid);
  const kept = call.runtime.store.write(() =>
    known
      ? changeResource(call, feedback, known, { data: { Outcome } })
      : makeResource(call, feedback, { parent: message.sid, sid: message.sid, data: { Outcome } }),
  );
  const end = wantsXml(call.exchange) ? "" : ".json";
  const body = {
    account_sid: message.accountSid,
    message_sid: message.sid,
    outcome: kept.data.Outcome,
    date_created: rfc2822(kept.createdAt),
    date_updated: rfc2822(kept.updatedAt),
    uri: `/2010-04-01/Accounts/${message.accountSid}/Messages/${message.sid}/Feedback${end}`,
  };
  return respondShown(call, { name: "Feedback" }, body, 200);
}

function messageIn({ runtime, exchange, account, param }: Call): Message {
  const message = runtime.state.message(param("message"));
  return message?.accountSid === account.sid ? message : reject("notFound", resourcePath(exchange));
}
