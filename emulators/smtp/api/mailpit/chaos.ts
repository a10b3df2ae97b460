import * as z from "zod";
import { answerJson } from "../../../kernel/exchange.ts";
import { type App, bodyOf, type MailRuntime } from "./context.ts";

const triggers = {
  Sender: { id: "chaos-sender", stage: "mail", code: 451, said: "sender" },
  Recipient: { id: "chaos-recipient", stage: "rcpt", code: 451, said: "recipient" },
  Authentication: { id: "chaos-authentication", stage: "auth", code: 535, said: "authentication" },
} as const;
type TriggerName = keyof typeof triggers;
const names = ["Sender", "Recipient", "Authentication"] as const satisfies readonly TriggerName[];

const Trigger = z
  .object({
    ErrorCode: z
      .number()
      .int()
      .min(400, "error code must be between 400 and 599")
      .max(599, "error code must be between 400 and 599"),
    Probability: z
      .number()
      .int()
      .min(0, "probability must be between 0 and 100")
      .max(100, "probability must be between 0 and 100"),
  })
  .optional();
const Triggers = z.object({ Sender: Trigger, Recipient: Trigger, Authentication: Trigger });

/** Mailpit's chaos: planned faults like any others, with a draw that follows from the seed. */
export function mailpitChaos(app: App, runtime: MailRuntime): void {
  const { faults } = runtime;
  const present = () =>
    Object.fromEntries(
      names.map((name) => {
        const rule = faults.get(triggers[name].id);
        const probability = rule === undefined ? 0 : Math.round((rule.probability ?? 1) * 100);
        return [name, { ErrorCode: rule?.action.status ?? triggers[name].code, Probability: probability }];
      }),
    );

  app.get("/api/v1/chaos", (c) => {
    c.env.exchange.note("operation", "GET /api/v1/chaos");
    return answerJson(c.env.exchange, 200, present());
  });

  app.put("/api/v1/chaos", (c) => {
    const { exchange } = c.env;
    exchange.note("operation", "PUT /api/v1/chaos");
    const asked = bodyOf(exchange, Triggers);
    for (const name of names) {
      const { id, stage, code, said } = triggers[name];
      const { ErrorCode, Probability } = asked[name] ?? { ErrorCode: code, Probability: 0 };
      if (Probability === 0) faults.remove(id);
      else
        faults.plan({
          id,
          match: { stage, per: "rule" },
          action: { status: ErrorCode, code: `${Math.floor(ErrorCode / 100)}.0.0`, message: `Chaos ${said} error` },
          probability: Probability / 100,
        });
    }
    return answerJson(exchange, 200, present());
  });
}
