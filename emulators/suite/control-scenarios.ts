/** Scenarios by the control API: which there are, a run of one on a suite of its own, and how far it has come. */
import type { Hono } from "hono";
import * as z from "zod";
import { refusedInRealMode } from "../kernel/control-real-mode.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answerJson } from "../kernel/exchange.ts";
import { readBody } from "../kernel/http/input.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import type { ScenarioRuns } from "./evidence/scenario/runs.ts";
import type { Leader } from "./leader.ts";

export const RunInput = z.strictObject({
  /** Whether a pack is made of it. */
  evidence: z.boolean().default(false),
});

export function scenarioRoutes(
  control: Hono<KernelEnv>,
  { scenarios, leader }: { readonly scenarios: ScenarioRuns; readonly leader: Leader },
): void {
  const base = "/_backlot/scenarios";
  refusedInRealMode(control, base, leader.mode, "scenario of what is emulated");
  control.get(base, async (c) => answerJson(c.env.exchange, 200, { scenarios: await scenarios.list() }));
  control.get(`${base}/runs`, (c) =>
    answerJson(c.env.exchange, 200, {
      runs: scenarios.runs.map(({ steps, ...run }) => ({
        ...run,
        done: steps.reduce((sum, { done }) => sum + done, 0),
        of: steps.reduce((sum, { repeat }) => sum + repeat, 0),
      })),
    }),
  );
  control.get(`${base}/runs/:id`, (c) => answerJson(c.env.exchange, 200, runOf(scenarios, c.req.param("id"))));
  control.post(`${base}/runs/:id/stop`, (c) => {
    const run = runOf(scenarios, c.req.param("id"));
    if (!scenarios.stop(run.id))
      throw new ControlError(409, "run_is_over", `${run.id} ${run.state === "passed" ? "has" : "is"} ${run.state}.`);
    return answerJson(c.env.exchange, 202, { id: run.id });
  });
  control.post(`${base}/:name/run`, async (c) => {
    const options = readBody(c.env.exchange, RunInput);
    return answerJson(c.env.exchange, 202, await scenarios.start(c.req.param("name"), options));
  });
}

function runOf(scenarios: ScenarioRuns, id: string) {
  const run = scenarios.runs.find((one) => one.id === id);
  if (run) return run;
  throw new ControlError(404, "no_such_run", `There is no run ${id}; GET /_backlot/scenarios/runs lists them.`);
}
