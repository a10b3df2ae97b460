/** The control API of one emulator, `/_backlot/*`: the only seam between an emulator and whoever steers it. */
import { Hono } from "hono";
import { isoMilliseconds } from "./clock.ts";
import { faultRoutes } from "./control-faults.ts";
import { feedRoutes } from "./control-feed.ts";
import { AdvanceInput, advanceTarget, ClockInput, ModeInput, TimersQuery } from "./control-forms.ts";
import { journalRoutes } from "./control-journal.ts";
import { probeRoutes } from "./control-probe.ts";
import { refusedInRealMode } from "./control-real-mode.ts";
import { snapshotRoutes } from "./control-snapshots.ts";
import { webhookRoutes } from "./control-webhooks.ts";
import type { Emulator, KernelEnv, Runtime } from "./emulator.ts";
import { answer, answerJson } from "./exchange.ts";
import { readBody, readQuery } from "./http/input.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { openApi, ownOperations, schemaPath } from "./openapi.ts";
import { ControlError } from "./plain-errors.ts";

export async function createControl<State, Seed>(
  emulator: Emulator<State, Seed>,
  runtime: Runtime<State>,
  lifecycle: Lifecycle,
): Promise<Hono<KernelEnv>> {
  const control = new Hono<KernelEnv>();
  const { clock, mode, journal, store, settings } = runtime;
  const { feed, tokens, metrics } = lifecycle.observation;

  for (const path of ["/_backlot/providers", "/api/v1/status/providers"])
    control.get(path, (c) =>
      answerJson(c.env.exchange, 200, providersOf([[emulator.provides, emulator.name]], mode.current, settings)),
    );

  control.get("/_backlot/mode", (c) => answerJson(c.env.exchange, 200, modeOf(runtime)));
  control.put("/_backlot/mode", (c) => {
    const wanted = readBody(c.env.exchange, ModeInput).mode;
    if (wanted === "real") mode.raise();
    else if (!mode.lower())
      throw new ControlError(
        409,
        "mode_locked",
        `Real mode was asked for by the environment (${mode.askedBy}); only a start without it lowers it.`,
      );
    journal.append("control", undefined, { mode: mode.current });
    return answerJson(c.env.exchange, 200, modeOf(runtime));
  });

  const clockOf = () => ({
    ...clock.describe(),
    nextDue: timeOrNull(runtime.timers.nextDue()),
    timers: runtime.timers.size,
  });
  control.get("/_backlot/clock", (c) => answerJson(c.env.exchange, 200, clockOf()));
  control.post("/_backlot/clock", (c) => {
    const input = readBody(c.env.exchange, ClockInput);
    clock.set({
      mode: input.mode,
      ...(input.at === undefined ? {} : { at: Date.parse(input.at) }),
      ...(input.anchor === undefined ? {} : { anchor: Date.parse(input.anchor) }),
    });
    journal.append("control", undefined, { clock: clock.describe() });
    return answerJson(c.env.exchange, 200, clockOf());
  });
  control.post("/_backlot/clock/advance", async (c) => {
    const target = advanceTarget(readBody(c.env.exchange, AdvanceInput), clock.now());
    if (target < clock.now())
      throw new ControlError(
        409,
        "clock_backward",
        `The clock shows ${isoMilliseconds(clock.now())} and cannot go back to ${isoMilliseconds(target)}; reset or set it instead.`,
      );
    const fired = await lifecycle.advance(target);
    return answerJson(c.env.exchange, 200, { ...clockOf(), fired });
  });
  control.get("/_backlot/timers", (c) => {
    const { limit } = readQuery(c.env.exchange, TimersQuery);
    return answerJson(c.env.exchange, 200, {
      total: runtime.timers.size,
      timers: runtime.timers.list(limit).map((timer) => ({ ...timer, due: isoMilliseconds(timer.due) })),
    });
  });

  control.post("/_backlot/reset", (c) => {
    lifecycle.reset();
    return answerJson(c.env.exchange, 200, {
      status: "reset",
      digest: store.digest(),
      now: isoMilliseconds(clock.now()),
    });
  });
  control.post("/_backlot/seed", async (c) => {
    const text = c.env.exchange.body.toString("utf8");
    if (text.trim() === "")
      throw new ControlError(400, "empty_seed", "Send the seed as YAML or JSON.", {
        hint: `fixtures/seeds/${emulator.seed.file} shows the form.`,
      });
    await lifecycle.reseed("the posted seed", text);
    return answerJson(c.env.exchange, 200, { status: "seeded", digest: store.digest() });
  });
  control.get("/_backlot/digest", (c) => answerJson(c.env.exchange, 200, { digest: store.digest() }));

  control.get("/_backlot/env", (c) => answerJson(c.env.exchange, 200, { environment: lifecycle.environment() }));
  control.get("/_backlot/capabilities", (c) =>
    answerJson(c.env.exchange, 200, {
      emulator: emulator.name,
      title: emulator.title,
      hosts: emulator.hosts,
      operations: emulator.capabilities,
    }),
  );
  control.get("/_backlot/ca.pem", (c) =>
    answer(c.env.exchange, 200, lifecycle.certificates().caPem, { "content-type": "application/x-pem-file" }),
  );

  journalRoutes(control, journal, metrics);
  feedRoutes(control, feed, tokens);
  webhookRoutes(control, emulator, runtime);
  probeRoutes(control, emulator, runtime, lifecycle.probe);
  faultRoutes(control, runtime, lifecycle.limits);
  snapshotRoutes(control, runtime, lifecycle);
  const own = await emulator.control?.(runtime);
  if (own) {
    refusedInRealMode(control, `/_backlot/${emulator.name}`, mode, `emulated ${emulator.title}`);
    control.route(`/_backlot/${emulator.name}`, own);
  }
  control.get(schemaPath, async (c) => {
    const { emulatorOperations } = await import("./control-operations.ts"); // needs every schema; most runs never ask
    const operations = [...emulatorOperations, ...ownOperations(own, `/_backlot/${emulator.name}`, emulator.title)];
    return answerJson(c.env.exchange, 200, openApi(`Backlot ${emulator.title}: control API`, operations));
  });
  return control;
}

function modeOf(runtime: Runtime<unknown>): Record<string, unknown> {
  const { mode, settings } = runtime;
  return {
    mode: mode.current,
    ...(mode.askedBy === undefined ? {} : { askedBy: mode.askedBy }),
    lowerable: settings.realAskedBy === undefined,
  };
}

/** What stands in for what, in the shape applications already parse. */
export function providersOf(
  provided: readonly (readonly [role: string, emulator: string])[],
  mode: string,
  settings: Runtime<unknown>["settings"],
): Record<string, unknown> {
  return {
    app_mode: mode,
    ...Object.fromEntries(provided.map(([role, emulator]) => [role, `backlot-${emulator}`])),
    features: {
      external_sends: false,
      rate_limit: settings.rateLimit,
      webhook_signatures: settings.webhookSignatures,
      cache_responses: settings.cacheResponses,
    },
  };
}

function timeOrNull(instant: number | undefined): string | null {
  return instant === undefined ? null : isoMilliseconds(instant);
}
