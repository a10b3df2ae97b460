/** content.twilio.com/v1: templates that messages are made of, in JSON both ways. */
import type { Hono } from "hono";
import type { KernelEnv } from "../../kernel/emulator.ts";
import { reject } from "../errors.ts";
import { type ContentData, content } from "../kinds.ts";
import type { Resource } from "../store-resources.ts";
import type { Call, TwilioRuntime } from "./call.ts";
import { callOf, makeResource, mountResource, type ResourceSpec, respondOne } from "./resource.ts";

const domain = "content.twilio.com";

const spec: ResourceSpec<ContentData, object> = {
  kind: content,
  name: "Content",
  path: "/v1/Content",
  domain,
  list: "contents",
  operations: ["list", "fetch", "remove"],
  parameters: {},
  shows: [
    ...["date_created", "date_updated", "sid", "account_sid", "friendly_name", "language", "variables", "types", "url"],
    "links",
  ],
  prepare: () => reject("forbidden"),
  view({ sid, data: { friendlyName, language, variables, types } }, { exchange }) {
    const approval = `${exchange.base}/v1/Content/${sid}/ApprovalRequests`;
    return {
      friendly_name: friendlyName,
      language,
      variables,
      types,
      links: { approval_create: `${approval}/whatsapp`, approval_fetch: approval },
    };
  },
};

export function mountContents(app: Hono<KernelEnv>, runtime: TwilioRuntime): void {
  app.post(spec.path, (c) => create(callOf(runtime, c)));
  mountResource(app, runtime, spec);
}

async function create(call: Call): Promise<Response> {
  const { exchange, runtime, account } = call;
  exchange.note("operation", "CreateContent");
  const data = await contentIn(exchange.body.toString("utf8"));
  const made: Resource<ContentData> = runtime.store.write(() =>
    makeResource(call, content, { parent: account.sid, data }),
  );
  exchange.note("resource", made.sid);
  return respondOne(call, spec, made, 201, true);
}

async function contentIn(body: string): Promise<ContentData> {
  let sent: unknown;
  try {
    sent = JSON.parse(body);
  } catch {
    return reject("invalidParameter", "body", "not JSON");
  }
  const { ContentInput } = await import("./content-form.ts");
  const read = ContentInput.safeParse(sent);
  if (!read.success) {
    const [issue] = read.error.issues;
    return reject("invalidParameter", issue?.path.join(".") || "body", issue?.message ?? "");
  }
  const { friendly_name: friendlyName = null, language, variables, types } = read.data;
  if (Object.keys(types).length === 0) reject("missingParameter", "types");
  return { friendlyName, language, variables, types };
}
