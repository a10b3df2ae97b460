import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../../kernel/emulator.ts";
import { answer, answerJson } from "../../../kernel/exchange.ts";
import { readQuery } from "../../../kernel/http/input.ts";
import { ControlError } from "../../../kernel/plain-errors.ts";
import { headerSection } from "../../domain/headers.ts";
import { inboxesOf, inInbox } from "../../domain/inbox.ts";
import type { MessageSummary } from "../../domain/message.ts";
import { find, Wanted } from "../../finder.ts";
import { removeAll, removeMessages } from "../../mailbox.ts";
import type { MailState } from "../../state.ts";
import { renderSummary } from "../../wire/control.ts";
import { exported, mboxOf } from "./export.ts";

const mostAtOnce = 1000;
const Listed = Wanted.extend({
  limit: z.coerce.number().int().min(1).max(mostAtOnce).default(100),
  since: z.coerce.number().int().min(0).optional(),
  /** Leaves out so many, the first of those that would be listed. */
  start: z.coerce.number().int().min(0).default(0),
});
const Exported = Wanted.extend({ format: z.enum(["mbox", "json"]).default("mbox") });

/** Lists, inboxes and whole mailboxes. Truncated messages, which no mailbox shows, are listed here. */
export function listRoutes(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { state } = runtime;
  const render = (message: MessageSummary) =>
    renderSummary(message, headerSection(state.beginning(message.id) ?? Buffer.alloc(0)));

  app.get("/messages", async (c) => {
    const { limit, start, ...wanted } = readQuery(c.env.exchange, Listed);
    const filtered = Object.values(wanted).some((value) => value !== undefined);
    const messages = filtered
      ? (await find(state, { ...wanted, since: wanted.since ?? 0 }, start + limit)).slice(start)
      : state.summaries(start + limit).slice(start);
    return answerJson(c.env.exchange, 200, {
      total: state.count(),
      pruned: state.countOf("pruned"),
      cursor: state.lastArrival,
      messages: messages.map(render),
    });
  });

  app.delete("/messages", async (c) => {
    const wanted = readQuery(c.env.exchange, Wanted);
    const all = wanted.since === 0 && Object.values(wanted).every((value) => value === undefined || value === 0);
    const ids = all ? [] : (await find(state, wanted)).map(({ id }) => id);
    return answerJson(c.env.exchange, 200, { deleted: all ? removeAll(runtime) : removeMessages(runtime, ids) });
  });

  app.get("/inboxes", (c) => {
    const counts = new Map<string, { kind: string; name: string; messages: number }>();
    for (const message of state.arrivedAfter(0, 100_000)) {
      for (const { kind, name } of inboxesOf(message)) {
        const known = counts.get(`${kind}:${name}`);
        if (known === undefined) counts.set(`${kind}:${name}`, { kind, name, messages: 1 });
        else known.messages += 1;
      }
    }
    const inboxes = [...counts]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([id, inbox]) => ({ id, ...inbox }));
    return answerJson(c.env.exchange, 200, { inboxes });
  });

  app.delete("/inboxes/:name", (c) => {
    const chosen = state.arrivedAfter(0, 100_000).filter(inInbox(c.req.param("name")));
    const deleted = removeMessages(
      runtime,
      chosen.map(({ id }) => id),
    );
    return answerJson(c.env.exchange, 200, { deleted });
  });

  app.get("/export", async (c) => {
    const { exchange } = c.env;
    const { format, ...wanted } = readQuery(exchange, Exported);
    const messages = await find(state, wanted);
    if (messages.length > 10_000)
      throw new ControlError(400, "too_many", `${messages.length} messages match; export at most 10000 at once.`);
    if (format === "json")
      return answerJson(exchange, 200, { messages: messages.map((message) => exported(state, message)) });
    return answer(exchange, 200, mboxOf(state, messages), {
      "content-type": "application/mbox",
      "content-disposition": 'attachment; filename="mailbox.mbox"',
    });
  });
}
