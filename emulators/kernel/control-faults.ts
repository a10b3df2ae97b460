/** Control routes of planned faults and rate limits. */
import type { Hono } from "hono";
import * as z from "zod";
import type { KernelEnv, Runtime } from "./emulator.ts";
import { answer, answerJson } from "./exchange.ts";
import { FaultInput } from "./fault-input.ts";
import { mostFaults } from "./faults.ts";
import { readBody } from "./http/input.ts";
import type { Limits } from "./limits.ts";
import { LimitsInput } from "./limits-input.ts";
import { ControlError } from "./plain-errors.ts";

export function faultRoutes(control: Hono<KernelEnv>, runtime: Runtime<unknown>, limits: Limits): void {
  const { faults, journal, store, name } = runtime;
  const base = "/_backlot/faults";
  control.get(base, (c) => answerJson(c.env.exchange, 200, { faults: faults.list() }));
  control.post(base, (c) => {
    const input = readFaults(c.env.exchange);
    const rules = Array.isArray(input) ? input : [input];
    const other = rules.find((rule) => rule.emulator !== undefined && rule.emulator !== name);
    if (other)
      throw new ControlError(
        400,
        "other_emulator",
        `body.emulator: this is ${name}, not ${other.emulator}; the suite passes rules on to the one they name.`,
      );
    const present = faults.list();
    const added = rules.filter(({ id }) => !present.some((rule) => rule.id === id)).length;
    if (present.length + added > mostFaults)
      throw new ControlError(
        409,
        "too_many_faults",
        `${present.length} faults are planned and ${mostFaults} is the most; delete some first.`,
      );
    const planned = store.write(() => rules.map((rule) => faults.plan(rule)));
    for (const { id, match, action } of planned) journal.append("control", id, { fault: "planned", match, action });
    return answerJson(c.env.exchange, 201, Array.isArray(input) ? { faults: planned } : planned[0]);
  });
  control.delete(base, (c) => {
    const removed = faults.list().length;
    faults.clear();
    journal.append("control", undefined, { faults: "cleared", removed });
    return answerJson(c.env.exchange, 200, { removed });
  });
  control.delete(`${base}/state`, (c) => {
    faults.clearCounts();
    journal.append("control", undefined, { faults: "counts cleared" });
    return answerJson(c.env.exchange, 200, { faults: faults.list() });
  });
  control.get(`${base}/:id`, (c) => {
    const found = faults.get(c.req.param("id"));
    if (!found) throw noSuchFault(c.req.param("id"));
    return answerJson(c.env.exchange, 200, found);
  });
  control.delete(`${base}/:id`, (c) => {
    const id = c.req.param("id");
    if (!faults.remove(id)) throw noSuchFault(id);
    journal.append("control", id, { fault: "removed" });
    return answer(c.env.exchange, 204, null, {});
  });

  control.get("/_backlot/limits", (c) => answerJson(c.env.exchange, 200, limits.describe()));
  control.put("/_backlot/limits", (c) => {
    limits.set(readBody(c.env.exchange, LimitsInput));
    journal.append("control", undefined, { limits: limits.describe() });
    return answerJson(c.env.exchange, 200, limits.describe());
  });
  control.delete("/_backlot/limits", (c) => {
    limits.clear();
    journal.append("control", undefined, { limits: limits.describe() });
    return answerJson(c.env.exchange, 200, limits.describe());
  });
}

/** Read with the schema of what it is, one rule or a list, so that a refusal names the field. */
export function readFaults(exchange: Parameters<typeof readBody>[0]): FaultInput | FaultInput[] {
  return exchange.body.toString("utf8").trimStart().startsWith("[")
    ? readBody(exchange, z.array(FaultInput).min(1))
    : readBody(exchange, FaultInput);
}

export function noSuchFault(id: string): ControlError {
  return new ControlError(404, "no_such_fault", `There is no planned fault ${id}; GET /_backlot/faults lists them.`);
}
