/** The suite's control API: the emulators' own, asked together. */
import { createHash } from "node:crypto";
import { Hono } from "hono";
import type { Certificates } from "../kernel/certificates.ts";
import { isoMilliseconds } from "../kernel/clock.ts";
import { feedRoutes } from "../kernel/control-feed.ts";
import { AdvanceInput, advanceTarget, ClockInput, ModeInput } from "../kernel/control-forms.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { answer, answerJson } from "../kernel/exchange.ts";
import { readBody } from "../kernel/http/input.ts";
import { showEntry } from "../kernel/journal-view.ts";
import { openApi, schemaPath } from "../kernel/openapi.ts";
import { ControlError } from "../kernel/plain-errors.ts";
import { clientVariables } from "./client-variables.ts";
import { advanceTogether, type ClockView } from "./conductor.ts";
import { evidenceRoutes } from "./control-evidence.ts";
import { suiteJournalRoutes } from "./control-journal.ts";
import { planRoutes } from "./control-plans.ts";
import { scenarioRoutes } from "./control-scenarios.ts";
import { suiteWebhookRoutes } from "./control-webhooks.ts";
import type { Recorder } from "./evidence/recorder.ts";
import type { ScenarioRuns } from "./evidence/scenario/runs.ts";
import type { PackShelf } from "./evidence/shelf.ts";
import type { Gateway } from "./gateway/gateway.ts";
import type { Leader } from "./leader.ts";
import { askAll, guarded, type Member } from "./member.ts";
import type { SuiteObservation } from "./observation.ts";
import type { OwnJournal } from "./own-journal.ts";
import type { Service } from "./shown-services.ts";

export interface SuiteControl {
  readonly members: readonly Member[];
  readonly leader: Leader;
  readonly observation: SuiteObservation;
  readonly own: OwnJournal;
  readonly gateway?: Gateway | undefined;
  readonly evidence: Recorder;
  readonly packs: PackShelf;
  readonly scenarios: ScenarioRuns;
  certificates(): Certificates;
}

export function createSuiteControl({
  members,
  leader,
  observation,
  own,
  gateway,
  evidence,
  packs,
  scenarios,
  certificates,
}: SuiteControl): Hono<KernelEnv> {
  const control = new Hono<KernelEnv>();
  const fanOut = async (method: string, path: string, body?: unknown) =>
    Object.fromEntries(await guarded(askAll<Record<string, unknown>>(members, method, path, body)));

  for (const path of ["/_backlot/providers", "/api/v1/status/providers"])
    control.get(path, async (c) =>
      answerJson(c.env.exchange, 200, merged(Object.values(await fanOut("GET", "/_backlot/providers")))),
    );
  control.get("/_backlot/services", (c) =>
    answerJson(c.env.exchange, 200, {
      services: members.map(({ name, title, addresses }): Service => ({ name, title, addresses })),
    }),
  );

  control.get("/_backlot/mode", async (c) => {
    const modes = await fanOut("GET", "/_backlot/mode");
    return answerJson(c.env.exchange, 200, {
      mode: Object.values(modes).some(({ mode }) => mode === "real") ? "real" : "mock",
      services: modes,
    });
  });
  control.put("/_backlot/mode", async (c) => {
    const wanted = readBody(c.env.exchange, ModeInput);
    if (wanted.mode === "real") leader.mode.raise();
    else leader.mode.lower();
    return answerJson(c.env.exchange, 200, { ...wanted, services: await fanOut("PUT", "/_backlot/mode", wanted) });
  });

  const clocks = async () =>
    (await guarded(askAll<ClockView>(members, "GET", "/_backlot/clock"))) as readonly (readonly [string, ClockView])[];
  const together = (views: readonly (readonly [string, ClockView])[]) => {
    const dues = views.flatMap(([, view]) => (view.nextDue === null ? [] : [view.nextDue])).sort();
    const first = views[0]?.[1];
    return {
      mode: first?.mode,
      now: first?.now,
      epochMs: first?.epochMs,
      nextDue: dues[0] ?? null,
      services: Object.fromEntries(views),
    };
  };
  control.get("/_backlot/clock", async (c) => answerJson(c.env.exchange, 200, together(await clocks())));
  control.post("/_backlot/clock", async (c) => {
    const input = readBody(c.env.exchange, ClockInput);
    // One anchor for all: they show the same time however long the fan-out takes.
    const anchor = input.anchor ?? isoMilliseconds(leader.clock.wall());
    const at = input.at ?? anchor;
    leader.clock.set({ mode: input.mode, at: Date.parse(at), anchor: Date.parse(anchor) });
    const set = await guarded(askAll<ClockView>(members, "POST", "/_backlot/clock", { ...input, at, anchor }));
    return answerJson(c.env.exchange, 200, together(set));
  });
  control.post("/_backlot/clock/advance", async (c) => {
    const views = await clocks();
    const now = Math.max(...views.map(([, view]) => view.epochMs));
    const target = advanceTarget(readBody(c.env.exchange, AdvanceInput), now);
    if (target < now)
      throw new ControlError(
        409,
        "clock_backward",
        `The clock shows ${isoMilliseconds(now)} and cannot go back to ${isoMilliseconds(target)}; reset or set it instead.`,
      );
    const { fired, clocks: reached } = await guarded(advanceTogether(members, target));
    leader.clock.moveTo(target);
    return answerJson(c.env.exchange, 200, { ...together(Object.entries(reached)), fired });
  });

  control.post("/_backlot/reset", async (c) => {
    leader.restart();
    own.clear();
    const services = await fanOut("POST", "/_backlot/reset");
    await guarded(Promise.all(members.map(leader.lead)));
    return answerJson(c.env.exchange, 200, { status: "reset", digest: digestOf(services), services });
  });
  control.get("/_backlot/digest", async (c) => {
    const services = await fanOut("GET", "/_backlot/digest");
    return answerJson(c.env.exchange, 200, { digest: digestOf(services), services });
  });

  suiteJournalRoutes(control, [...members, own.member]);
  feedRoutes(control, observation.feed, observation.tokens);
  control.get("/_backlot/egress", async (c) => {
    const pages = await fanOut("GET", "/_backlot/egress");
    const seen = (verdict: "refused" | "allowed") => gateway?.ledger.entries(verdict).map(showEntry) ?? [];
    return answerJson(c.env.exchange, 200, {
      refused: [...Object.values(pages).flatMap(({ refused }) => refused as unknown[]), ...seen("refused")],
      allowed: seen("allowed"),
      targets: gateway?.ledger.targets() ?? [],
      totals: gateway?.ledger.totals ?? { refused: 0, allowed: 0 },
    });
  });
  control.get("/_backlot/env", async (c) => {
    const pages = await fanOut("GET", "/_backlot/env");
    return answerJson(c.env.exchange, 200, {
      environment: Object.assign(
        {},
        ...Object.values(pages).map(({ environment }) => environment),
        clientVariables(certificates(), gateway?.proxyUrl),
      ),
    });
  });
  control.get(schemaPath, async (c) => {
    const { suiteOperations } = await import("./control-operations.ts"); // needs every schema; most runs never ask
    return answerJson(c.env.exchange, 200, openApi("Backlot: control API of the suite", suiteOperations));
  });
  control.get("/_backlot/capabilities", async (c) =>
    answerJson(c.env.exchange, 200, { services: await fanOut("GET", "/_backlot/capabilities") }),
  );
  control.get("/_backlot/ca.pem", (c) =>
    answer(c.env.exchange, 200, certificates().caPem, { "content-type": "application/x-pem-file" }),
  );

  suiteWebhookRoutes(control, members);
  planRoutes(control, { members, clock: leader.clock });
  evidenceRoutes(control, { evidence, packs, leader });
  scenarioRoutes(control, { scenarios, leader });
  return control;
}

function merged(views: readonly Record<string, unknown>[]): Record<string, unknown> {
  return Object.assign({}, ...views, { app_mode: views.some((view) => view.app_mode === "real") ? "real" : "mock" });
}

function digestOf(services: Record<string, Record<string, unknown>>): string {
  const lines = Object.keys(services)
    .sort()
    .map((name) => `${name} ${services[name]?.digest}\n`);
  return createHash("sha256").update(lines.join("")).digest("hex");
}
