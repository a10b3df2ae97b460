import * as z from "zod";
import { answerJson } from "../../../kernel/exchange.ts";
import { cleanTag, uniqueTags } from "../../domain/tags.ts";
import { MailpitError } from "../../errors.ts";
import { deleteTag, renameTag, setTags } from "../../mailbox.ts";
import { type App, bodyOf, type MailRuntime, ok } from "./context.ts";

const SetTags = z.object({ IDs: z.array(z.string()).nullish(), Tags: z.array(z.string()).nullish() });
const Rename = z.object({ Name: z.string().default("") });

export function mailpitTags(app: App, runtime: MailRuntime): void {
  const { state } = runtime;

  app.get("/api/v1/tags", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/tags");
    return answerJson(c.env.exchange, 200, state.allTags());
  });

  app.put("/api/v1/tags", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "PUT /api/v1/tags");
    const { IDs, Tags } = bodyOf(exchange, SetTags);
    const wrong = (Tags ?? []).find((tag) => cleanTag(tag) === undefined);
    if (wrong !== undefined) throw new MailpitError(400, `invalid tag name: ${wrong}`);
    setTags(runtime, IDs ?? [], uniqueTags(Tags ?? []));
    return ok(exchange);
  });

  app.put("/api/v1/tags/:tag", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "PUT /api/v1/tags/{tag}");
    const name = cleanTag(bodyOf(exchange, Rename).Name);
    if (name === undefined) throw new MailpitError(400, "invalid tag name");
    if (!renameTag(runtime, c.req.param("tag"), name))
      throw new MailpitError(400, `tag not found: ${c.req.param("tag")}`);
    return ok(exchange);
  });

  app.delete("/api/v1/tags/:tag", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "DELETE /api/v1/tags/{tag}");
    if (!deleteTag(runtime, c.req.param("tag"))) throw new MailpitError(400, `tag not found: ${c.req.param("tag")}`);
    return ok(exchange);
  });
}
