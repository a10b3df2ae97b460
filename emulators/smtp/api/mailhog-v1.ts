import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import { readMessage } from "../domain/mailhog-mime.ts";
import type { Message } from "../domain/message.ts";
import { reject } from "../errors.ts";
import { removeAll, removeMessage } from "../mailbox.ts";
import { type Destination, isAddress, release } from "../release.ts";
import type { MailState } from "../state.ts";
import { idFrom, mailhogData, mailhogId, renderMessage } from "../wire/mailhog.ts";
import { partHeaders } from "../wire/part-headers.ts";
import { answerBytes } from "./content.ts";

const textJson = { "content-type": "text/json" };
/** MailHog's list has no pages. */
const most = 1000;

/** The one route that Mailpit has too, with another answer. */
export function mailhogMessages(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  app.get("/api/v1/messages", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/messages");
    return answerJson(c.env.exchange, 200, runtime.state.page(0, most).map(renderMessage), textJson);
  });
}

export function mailhogV1(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;
  const existing = (id: string): Message => state.message(idFrom(id)) ?? reject("noSuchMessage", id);

  app.delete("/api/v1/messages", (c) => {
    c.env.exchange.note("operation", "DELETE /api/v1/messages");
    removeAll(runtime);
    return answer(c.env.exchange, 200, null, {});
  });

  app.get("/api/v1/messages/:id", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/messages/{id}");
    exchange.note("resource", c.req.param("id"));
    const message = state.message(idFrom(c.req.param("id")));
    return answerJson(exchange, 200, message === undefined ? null : renderMessage(message), textJson);
  });

  app.delete("/api/v1/messages/:id", (c) => {
    const { exchange } = c.env;
    const id = c.req.param("id");
    exchange.note("operation", "DELETE /api/v1/messages/{id}");
    exchange.note("resource", id);
    if (!removeMessage(runtime, idFrom(id))) reject("notStored", id);
    return answer(exchange, 200, null, {});
  });

  app.get("/api/v1/messages/:id/download", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/messages/{id}/download");
    const id = idFrom(c.req.param("id"));
    const content = state.content(id) ?? reject("noSuchMessage", id);
    return answerBytes(exchange, content, {
      "content-type": "message/rfc822",
      "content-disposition": `attachment; filename="${mailhogId(id)}.eml"`,
    });
  });

  app.post("/api/v1/messages/:id/release", async (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "POST /api/v1/messages/{id}/release");
    const message = state.summary(idFrom(c.req.param("id"))) ?? reject("noSuchMessage", c.req.param("id"));
    const outcome = await release(runtime, message, destinationOf(exchange));
    if (outcome.tag !== "sent") return reject("notReleased", outcome.reason);
    return answer(exchange, 200, null, {});
  });

  app.get("/api/v1/messages/:id/mime/part/:n/download", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/messages/{id}/mime/part/{n}/download");
    const message = existing(c.req.param("id"));
    const number = c.req.param("n");
    const part = /^\d{1,6}$/.test(number) ? readMessage(mailhogData(message.raw)).parts?.[Number(number)] : undefined;
    if (part === undefined) return reject("noSuchPart", number);
    const { headers, encoding } = partHeaders(part.headers, `${mailhogId(message.id)}-part-${number}`);
    const body = encoding === "base64" ? Buffer.from(part.body, "base64") : Buffer.from(part.body, "latin1");
    return answer(exchange, 200, Uint8Array.from(body), headers);
  });
}

const Release = z.object({
  host: z.string().min(1),
  port: z.coerce.number().int().min(1).max(65_535),
  email: z.string().refine(isAddress),
  username: z.string().default(""),
  password: z.string().default(""),
});

/** The server is in the request. Names are read in any case, as Go reads them; CRAM-MD5 is asked for and PLAIN is used. */
function destinationOf(exchange: Exchange): Destination {
  let given: unknown;
  try {
    given = JSON.parse(exchange.body.toString("utf8"));
  } catch {
    return reject("badRelease");
  }
  const lower = Object.entries(given ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const);
  const parsed = Release.safeParse(Object.fromEntries(lower));
  if (!parsed.success) return reject("badRelease");
  const { host, port, email, username, password } = parsed.data;
  return { host, port, recipients: [email], login: username === "" ? undefined : { username, password } };
}
