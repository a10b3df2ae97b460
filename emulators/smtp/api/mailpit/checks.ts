import * as z from "zod";
import { answerJson } from "../../../kernel/exchange.ts";
import { resourcesOf } from "../../domain/links.ts";
import { MailpitError } from "../../errors.ts";
import { configuredRelay, isAddress, release } from "../../release.ts";
import { type App, bodyOf, type MailRuntime, messageOf, ok } from "./context.ts";

const Release = z.object({ To: z.array(z.string()).default([]) });

/** What would reach outside: links are listed and not called, mail is released to the relay of the settings alone. */
export function mailpitChecks(app: App, runtime: MailRuntime): void {
  const { state } = runtime;

  app.get("/api/v1/message/:id/link-check", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/message/{id}/link-check");
    const message = await messageOf(runtime, exchange, c.req.param("id"));
    const mail = await state.reader.mail(message.id);
    const urls = mail === undefined ? [] : resourcesOf(mail);
    return answerJson(exchange, 200, {
      Errors: urls.length,
      Links: urls.map((URL) => ({ URL, StatusCode: 451, Status: "Not called: nothing leaves the machine" })),
    });
  });

  app.get("/api/v1/message/:id/sa-check", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/message/{id}/sa-check");
    await messageOf(runtime, exchange, c.req.param("id"));
    throw new MailpitError(400, "SpamAssassin is not enabled");
  });

  app.post("/api/v1/message/:id/release", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "POST /api/v1/message/{id}/release");
    const message = await messageOf(runtime, exchange, c.req.param("id"));
    const server = configuredRelay(runtime);
    if (server === undefined) throw new MailpitError(400, "SMTP relay is not enabled: nothing leaves the machine");
    const { To } = bodyOf(exchange, Release);
    const wrong = To.find((address) => !isAddress(address));
    if (wrong !== undefined) throw new MailpitError(400, `Invalid email address: ${wrong}`);
    if (To.length === 0) throw new MailpitError(400, "No valid addresses found");
    const outcome = await release(runtime, message, { ...server, recipients: To, withoutBcc: true });
    if (outcome.tag !== "sent") throw new MailpitError(400, `SMTP error: ${outcome.reason}`);
    return ok(exchange);
  });
}
