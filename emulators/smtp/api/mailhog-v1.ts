import type { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson } from "../../kernel/exchange.ts";
import { readMessage } from "../domain/mailhog-mime.ts";
import type { Message } from "../domain/message.ts";
import { reject } from "../errors.ts";
import type { MailState } from "../store.ts";
import { idFrom, mailhogData, mailhogId, renderMessage } from "../wire/mailhog.ts";
import { partHeaders } from "../wire/part-headers.ts";

const textJson = { "content-type": "text/json" };
/** MailHog's list has no pages. */
const most = 1000;

export function mailhogV1(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state, store } = runtime;
  const existing = (id: string): Message => state.message(idFrom(id)) ?? reject("noSuchMessage", id);

  app.get("/api/v1/messages", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/messages");
    return answerJson(c.env.exchange, 200, state.page(0, most).map(renderMessage), textJson);
  });

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
    store.write(() => {
      if (!state.remove(idFrom(id))) reject("notStored", id);
      runtime.journal.append("change", idFrom(id), { state: "deleted" });
    });
    return answer(exchange, 200, null, {});
  });

  app.get("/api/v1/messages/:id/download", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "GET /api/v1/messages/{id}/download");
    const message = existing(c.req.param("id"));
    return answer(exchange, 200, Uint8Array.from(message.raw), {
      "content-type": "message/rfc822",
      "content-disposition": `attachment; filename="${mailhogId(message.id)}.eml"`,
    });
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

export function removeAll(runtime: Runtime<MailState>): number {
  return runtime.store.write(() => {
    const removed = runtime.state.removeAll();
    runtime.journal.append("change", undefined, { state: "deleted", messages: removed });
    return removed;
  });
}
