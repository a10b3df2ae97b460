import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../../kernel/exchange.ts";
import { readQuery } from "../../../kernel/http/input.ts";
import { ControlError } from "../../../kernel/plain-errors.ts";
import { codesOf, linksOf } from "../../domain/links.ts";
import type { Mail } from "../../domain/mail.ts";
import type { Message } from "../../domain/message.ts";
import { removeMessage } from "../../mailbox.ts";
import type { MailState } from "../../state.ts";
import { renderEnvelope, renderMail } from "../../wire/control.ts";
import { idFrom } from "../../wire/mailhog.ts";
import { answerBytes } from "../content.ts";

const Codes = z.strictObject({ pattern: z.string().min(1).max(200).optional() });

/** One message: read, its envelope, its dialogue, its links and codes. */
export function messageRoutes(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;
  const existing = (id: string): Message => state.message(idFrom(id)) ?? unknown(id);
  const read = async (id: string): Promise<Mail> => (await state.reader.mail(idFrom(id))) ?? unknown(id);

  app.get("/messages/:id", async (c) => {
    const message = existing(c.req.param("id"));
    const marks = { read: state.isRead(message.id), tags: state.tagsOf(message.id) };
    return answerJson(c.env.exchange, 200, renderMail(message, await read(message.id), marks));
  });

  app.delete("/messages/:id", (c) => {
    const id = idFrom(c.req.param("id"));
    if (!removeMessage(runtime, id)) unknown(id);
    return answerJson(c.env.exchange, 200, { deleted: 1 });
  });

  app.get("/messages/:id/raw", (c) => {
    const content = state.content(idFrom(c.req.param("id"))) ?? unknown(c.req.param("id"));
    return answerBytes(c.env.exchange, content, { "content-type": "message/rfc822" });
  });

  app.get("/messages/:id/envelope", (c) => {
    const message = existing(c.req.param("id"));
    return answerJson(c.env.exchange, 200, renderEnvelope(message, state.transcript(message.id)?.remote ?? ""));
  });

  app.get("/messages/:id/transcript", (c) => {
    const transcript = state.transcript(idFrom(c.req.param("id"))) ?? unknown(c.req.param("id"));
    return answer(c.env.exchange, 200, `${transcript.lines.join("\n")}\n`, {
      "content-type": "text/plain; charset=utf-8",
    });
  });

  app.get("/messages/:id/links", async (c) =>
    answerJson(c.env.exchange, 200, { links: linksOf(await read(c.req.param("id"))) }),
  );

  app.get("/messages/:id/codes", async (c) => {
    const mail = await read(c.req.param("id"));
    return answerJson(c.env.exchange, 200, { codes: codesOf(mail, patternOf(c.env.exchange)) });
  });
}

function patternOf(exchange: Exchange): RegExp | undefined {
  const { pattern } = readQuery(exchange, Codes);
  try {
    return pattern === undefined ? undefined : new RegExp(pattern, "g");
  } catch (cause) {
    throw new ControlError(
      400,
      "invalid_pattern",
      `pattern is no regular expression: ${cause instanceof Error ? cause.message : cause}`,
    );
  }
}

function unknown(id: string): never {
  throw new ControlError(404, "not_found", `There is no message ${id}`);
}
