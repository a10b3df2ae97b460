import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "../../kernel/emulator.ts";
import { answer, answerJson, type Exchange } from "../../kernel/exchange.ts";
import type { FaultInput } from "../../kernel/fault-input.ts";
import { reject } from "../errors.ts";
import type { MailState } from "../state.ts";

const Chance = z.number().min(0).max(1).default(0);
const Config = z.object({
  DisconnectChance: Chance,
  AcceptChance: Chance,
  LinkSpeedAffect: Chance,
  LinkSpeedMin: z.number().default(0),
  LinkSpeedMax: z.number().default(0),
  RejectSenderChance: Chance,
  RejectRecipientChance: Chance,
  RejectAuthChance: Chance,
});
type Config = z.output<typeof Config>;

/** What MailHog's Jim does when he is invited without a word. */
const defaults: Config = {
  DisconnectChance: 0.005,
  AcceptChance: 0.99,
  LinkSpeedAffect: 0.1,
  LinkSpeedMin: 1024,
  LinkSpeedMax: 10_240,
  RejectSenderChance: 0.05,
  RejectRecipientChance: 0.05,
  RejectAuthChance: 0.05,
};
const ids = ["jim", "jim-accept", "jim-disconnect", "jim-sender", "jim-recipient", "jim-auth", "jim-speed"] as const;

/** MailHog's chaos monkey as planned faults; his throws of the dice follow from the seed. */
export function mailhogJim(app: Hono<KernelEnv>, runtime: Runtime<MailState>): void {
  const { faults } = runtime;
  const present = () => faults.get("jim");

  const invite = (config: Config) => {
    for (const id of ids) faults.remove(id);
    const plan = (id: (typeof ids)[number], stage: string, probability: number, action: FaultInput["action"]) => {
      if (probability > 0)
        faults.plan({ id, match: { stage, per: "rule" }, probability: Math.min(1, probability), action });
    };
    // Kept as a rule that meets no stage, so that a reset sends Jim away with the others.
    faults.plan({
      id: "jim",
      match: { stage: "jim", per: "rule" },
      action: { reset: true },
      note: JSON.stringify(config),
    });
    plan("jim-accept", "connect", 1 - config.AcceptChance, { reset: true });
    plan("jim-disconnect", "data", config.DisconnectChance, { reset: true });
    plan("jim-sender", "mail", config.RejectSenderChance, { status: 550, code: "5.1.7", message: "Invalid sender" });
    plan("jim-recipient", "rcpt", config.RejectRecipientChance, {
      status: 550,
      code: "5.1.1",
      message: "Invalid recipient",
    });
    const speed = { min: config.LinkSpeedMin, max: config.LinkSpeedMax };
    plan("jim-speed", "data", config.LinkSpeedAffect, { effect: "throttle", with: speed });
    plan("jim-auth", "auth", config.RejectAuthChance, { status: 500, code: "5.7.8", message: "Authentication failed" });
  };

  app.get("/api/v2/jim", (c) => {
    c.env.exchange.note("operation", "GET /api/v2/jim");
    const jim = present();
    if (jim === undefined) return reject("noJim");
    return answerJson(c.env.exchange, 200, JSON.parse(jim.note ?? "{}"), { "content-type": "text/json" });
  });

  app.post("/api/v2/jim", (c) => {
    c.env.exchange.note("operation", "POST /api/v2/jim");
    if (present() !== undefined) return reject("jimThere");
    invite(configOf(c.env.exchange));
    return answer(c.env.exchange, 201, null, {});
  });

  app.put("/api/v2/jim", (c) => {
    c.env.exchange.note("operation", "PUT /api/v2/jim");
    if (present() === undefined) return reject("noJim");
    invite(configOf(c.env.exchange));
    return answer(c.env.exchange, 200, null, {});
  });

  app.delete("/api/v2/jim", (c) => {
    c.env.exchange.note("operation", "DELETE /api/v2/jim");
    if (present() === undefined) return reject("noJim");
    for (const id of ids) faults.remove(id);
    return answer(c.env.exchange, 200, null, {});
  });
}

/** No body: Jim as he is. A field that a body leaves out is 0, as in Go, so a missing AcceptChance refuses everybody. */
function configOf(exchange: Exchange): Config {
  if (exchange.body.length === 0) return defaults;
  try {
    return Config.parse(JSON.parse(exchange.body.toString("utf8")));
  } catch {
    return reject("badJim");
  }
}
