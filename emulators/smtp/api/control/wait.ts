import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../../kernel/emulator.ts";
import { answerJson } from "../../../kernel/exchange.ts";
import { readBody, readQuery } from "../../../kernel/http/input.ts";
import type { MessageSummary } from "../../domain/message.ts";
import { Wanted, waitFor } from "../../finder.ts";
import { removeMessages } from "../../mailbox.ts";
import type { MailState } from "../../state.ts";
import { renderMail } from "../../wire/control.ts";

const Waiting = Wanted.extend({
  count: z.coerce.number().int().min(1).max(1_000).default(1),
  timeoutMs: z.coerce.number().int().min(0).max(120_000).default(5_000),
});
const Taking = Waiting.extend({ timeoutMs: z.coerce.number().int().min(0).max(120_000).default(0) });

/** So many are shown when more are there than were waited for; the cursor leads to the rest. */
const mostUnasked = 20;

/** Mail that a test waits for instead of polling: answered when it arrives, or 408 when the time is up. */
export function waitRoutes(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;

  const shown = async ({ id }: MessageSummary) => {
    const [message, mail] = [state.message(id), await state.reader.mail(id)];
    const marks = { read: state.isRead(id), tags: state.tagsOf(id) };
    return message === undefined || mail === undefined ? [] : [renderMail(message, mail, marks)];
  };
  const render = async (messages: readonly MessageSummary[]) => (await Promise.all(messages.map(shown))).flat();
  const late = (count: number, found: number, timeoutMs: number) => ({
    error: "timeout",
    message: `${found} of ${count} messages matched within ${timeoutMs} ms; ${state.count()} are in the mailbox`,
  });

  app.get("/messages/wait", async (c) => {
    const { count, timeoutMs, ...wanted } = readQuery(c.env.exchange, Waiting);
    const found = await waitFor(state, wanted, { count, most: Math.max(count, mostUnasked), timeoutMs });
    const body = { cursor: found.at(-1)?.arrival ?? wanted.since, messages: await render(found) };
    if (found.length < count)
      return answerJson(c.env.exchange, 408, { ...late(count, found.length, timeoutMs), ...body });
    return answerJson(c.env.exchange, 200, body);
  });

  // Two takers never get the same message: what is rendered is removed in the same turn in which it is seen to be there.
  app.post("/messages/take", async (c) => {
    const { count, timeoutMs, ...wanted } = readBody(c.env.exchange, Taking);
    const found = await waitFor(state, wanted, { count, most: count, timeoutMs });
    const rendered = await render(found.slice(0, count));
    const mine = rendered.filter(({ id }) => removeMessages(runtime, [id]) > 0);
    if (mine.length === 0) return answerJson(c.env.exchange, 408, { ...late(count, 0, timeoutMs), messages: [] });
    return answerJson(c.env.exchange, 200, { messages: mine });
  });
}
