import { Hono } from "hono";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import { headerSection } from "../domain/headers.ts";
import type { MailState } from "../store.ts";
import { renderEnvelope, renderSummary } from "../wire/control.ts";
import { idFrom } from "../wire/mailhog.ts";
import { removeAll } from "./mailhog-v1.ts";

const defaultLimit = 100;
const mostAtOnce = 1000;

/** Routes under /_backlot/smtp: truncated messages included, which no mailbox lists. */
export function control(runtime: Runtime<MailState>): Hono<KernelEnv> {
  const { state } = runtime;
  const app = new Hono<KernelEnv>();

  app.get("/messages", (c) => {
    const asked = Number(c.req.query("limit") ?? defaultLimit);
    const limit = Number.isInteger(asked) && asked > 0 ? Math.min(asked, mostAtOnce) : defaultLimit;
    const messages = state
      .summaries(limit)
      .map((message) => renderSummary(message, headerSection(state.beginning(message.id) ?? Buffer.alloc(0))));
    return answerJson(c.env.exchange, 200, { total: state.count(), messages });
  });

  app.delete("/messages", (c) => answerJson(c.env.exchange, 200, { deleted: removeAll(runtime) }));

  app.get("/messages/:id/raw", (c) => {
    const raw = state.raw(idFrom(c.req.param("id")));
    if (raw === undefined) return unknown(c.env.exchange, c.req.param("id"));
    return answer(c.env.exchange, 200, Uint8Array.from(raw), { "content-type": "message/rfc822" });
  });

  app.get("/messages/:id/envelope", (c) => {
    const message = state.message(idFrom(c.req.param("id")));
    if (message === undefined) return unknown(c.env.exchange, c.req.param("id"));
    const remote = state.transcript(message.id)?.remote ?? "";
    return answerJson(c.env.exchange, 200, renderEnvelope(message, remote));
  });

  app.get("/messages/:id/transcript", (c) => {
    const transcript = state.transcript(idFrom(c.req.param("id")));
    if (transcript === undefined) return unknown(c.env.exchange, c.req.param("id"));
    return answer(c.env.exchange, 200, `${transcript.lines.join("\n")}\n`, {
      "content-type": "text/plain; charset=utf-8",
    });
  });

  return app;
}

function unknown(exchange: Exchange, id: string): Response {
  return answerJson(exchange, 404, { error: "not_found", message: `There is no message ${id}` });
}
