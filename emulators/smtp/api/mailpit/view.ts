import { answer } from "../../../kernel/exchange.ts";
import { withPartAddresses } from "../../domain/cid-addresses.ts";
import { MailpitError } from "../../errors.ts";
import { readableText } from "../../wire/mailpit.ts";
import { harmless } from "../content.ts";
import { type App, type MailRuntime, messageOf } from "./context.ts";

/** A message as a page of its own: it may run nothing and load nothing from elsewhere. */
export function mailpitView(app: App, runtime: MailRuntime): void {
  const { state } = runtime;

  app.get("/view/:file", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /view/{id}.html, .txt");
    const [, id, kind] = /^(.+)\.(html|txt)$/.exec(c.req.param("file")) ?? [];
    if (id === undefined) throw new MailpitError(404, "404 page not found");
    const message = await messageOf(runtime, exchange, id);
    const mail = await state.reader.mail(message.id);
    if (mail === undefined) throw new MailpitError(404, "404 page not found");
    if (kind === "txt")
      return answer(exchange, 200, readableText(mail), {
        ...harmless,
        "content-type": "text/plain; charset=utf-8",
      });
    if (mail.html === "") throw new MailpitError(404, "This message does not contain a HTML part");
    const base = `${exchange.base}/api/v1/message/${message.id}/part`;
    return answer(
      exchange,
      200,
      withPartAddresses(mail, ({ partId }) => `${base}/${partId}`),
      {
        ...harmless,
        "content-type": "text/html; charset=utf-8",
      },
    );
  });
}
