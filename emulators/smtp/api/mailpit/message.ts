import { answerJson } from "../../../kernel/exchange.ts";
import type { Mail } from "../../domain/mail.ts";
import { MailpitError } from "../../errors.ts";
import { markRead } from "../../mailbox.ts";
import { renderHeaders, renderMessage } from "../../wire/mailpit.ts";
import { answerBytes, filenameParameter, partHeaders } from "../content.ts";
import { type App, type MailRuntime, messageOf, queryOf } from "./context.ts";

/** One message: read, its headers, its bytes, its parts. */
export function mailpitMessage(app: App, runtime: MailRuntime): void {
  const { state } = runtime;
  const read = async (id: string): Promise<Mail> => {
    const mail = await state.reader.mail(id);
    if (mail === undefined) throw new MailpitError(404, "404 page not found");
    return mail;
  };

  app.get("/api/v1/message/:id", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/message/{id}");
    const message = await messageOf(runtime, exchange, c.req.param("id"));
    const [mail, gist] = [await read(message.id), await state.reader.gist(message)];
    markRead(runtime, [message.id], true);
    if (mail.problem !== undefined) exchange.note("notRead", mail.problem);
    return answerJson(exchange, 200, renderMessage(message, mail, gist, state.tagsOf(message.id)));
  });

  app.get("/api/v1/message/:id/headers", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/message/{id}/headers");
    const message = await messageOf(runtime, exchange, c.req.param("id"));
    return answerJson(exchange, 200, renderHeaders(await read(message.id)));
  });

  app.get("/api/v1/message/:id/raw", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/message/{id}/raw");
    const message = await messageOf(runtime, exchange, c.req.param("id"));
    const download = queryOf(exchange).get("dl") === "1";
    return answerBytes(exchange, state.content(message.id) ?? [], {
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      ...(download && { "content-disposition": `attachment; ${filenameParameter(`${message.id}.eml`)}` }),
    });
  });

  app.get("/api/v1/message/:id/part/:part", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/message/{id}/part/{partID}");
    const message = await messageOf(runtime, exchange, c.req.param("id"));
    const part = (await read(message.id)).parts.find(({ partId }) => partId === c.req.param("part"));
    if (part === undefined) throw new MailpitError(404, "404 page not found");
    const name = part.filename === "" ? part.contentId : part.filename;
    return answerBytes(exchange, [Buffer.from(part.content)], partHeaders(part.contentType, name));
  });
}
