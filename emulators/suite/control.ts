/** The suite's control API: the emulators' own, asked together. */
import { createHash } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import type { Certificates } from "../kernel/certificates.ts";
import { type Clock, isoMilliseconds, stopwatch } from "../kernel/clock.ts";
import { AdvanceInput, advanceTarget, ClockInput, type Health, ModeInput } from "../kernel/control.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { EndpointInput } from "../kernel/endpoints.ts";
import { answer, answerJson } from "../kernel/exchange.ts";
import { ControlError } from "../kernel/host.ts";
import { readBody, readQuery } from "../kernel/http/input.ts";
import { advanceTogether, type ClockView } from "./conductor.ts";
import { ask, askAll, type Member, MemberError } from "./member.ts";

export interface SuiteControl {
  readonly members: readonly Member[];
  readonly clock: Clock;
  certificates(): Certificates;
}

interface JournalPage {
  readonly last: number;
  readonly dropped: number;
  readonly entries: readonly { readonly sequence: number; readonly at: string; readonly emulator: string }[];
}

export function createSuiteControl({ members, clock, certificates }: SuiteControl): Hono<KernelEnv> {
  const control = new Hono<KernelEnv>();
  const fanOut = async (method: string, path: string, body?: unknown) =>
    Object.fromEntries(await guarded(askAll<Record<string, unknown>>(members, method, path, body)));

  for (const path of ["/health", "/api/v1/health", "/_backlot/health"])
    control.get(path, async (c) => answerJson(c.env.exchange, 200, await health(members)));
  control.get("/_backlot/live", (c) => answerJson(c.env.exchange, 200, { status: "alive" }));
  control.get("/_backlot/ready", async (c) =>
    answerJson(c.env.exchange, 200, { status: "ready", services: await fanOut("GET", "/_backlot/ready") }),
  );
  for (const path of ["/_backlot/providers", "/api/v1/status/providers"])
    control.get(path, async (c) =>
      answerJson(c.env.exchange, 200, merged(Object.values(await fanOut("GET", "/_backlot/providers")))),
    );
  control.get("/_backlot/services", (c) =>
    answerJson(c.env.exchange, 200, {
      services: members.map(({ name, title, addresses }) => ({ name, title, addresses })),
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
    const anchor = input.anchor ?? isoMilliseconds(clock.wall());
    const set = await guarded(
      askAll<ClockView>(members, "POST", "/_backlot/clock", { ...input, at: input.at ?? anchor, anchor }),
    );
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
    return answerJson(c.env.exchange, 200, { ...together(Object.entries(reached)), fired });
  });

  control.post("/_backlot/reset", async (c) => {
    const services = await fanOut("POST", "/_backlot/reset");
    return answerJson(c.env.exchange, 200, { status: "reset", digest: digestOf(services), services });
  });
  control.get("/_backlot/digest", async (c) => {
    const services = await fanOut("GET", "/_backlot/digest");
    return answerJson(c.env.exchange, 200, { digest: digestOf(services), services });
  });

  control.get("/_backlot/journal", async (c) => {
    const { since, limit, kind } = readQuery(c.env.exchange, JournalQuery);
    const cursors = Object.fromEntries((since ?? "").split(",").map((part) => part.split(":")));
    const pages = await guarded(
      Promise.all(
        members.map(
          async (member) =>
            [
              member.name,
              await ask<JournalPage>(
                member,
                "GET",
                `/_backlot/journal?limit=${limit}&since=${cursors[member.name] ?? 0}${kind ? `&kind=${kind}` : ""}`,
              ),
            ] as const,
        ),
      ),
    );
    const entries = pages
      .flatMap(([, page]) => page.entries)
      .sort(
        (left, right) =>
          compare(left.at, right.at) || compare(left.emulator, right.emulator) || left.sequence - right.sequence,
      )
      .slice(0, limit);
    const reached = pages.map(
      ([name]) => `${name}:${entries.findLast((entry) => entry.emulator === name)?.sequence ?? cursors[name] ?? 0}`,
    );
    return answerJson(c.env.exchange, 200, {
      cursor: reached.join(","),
      dropped: Object.fromEntries(pages.map(([name, page]) => [name, page.dropped])),
      entries,
    });
  });
  control.get("/_backlot/egress", async (c) => {
    const pages = await fanOut("GET", "/_backlot/egress");
    return answerJson(c.env.exchange, 200, {
      refused: Object.values(pages).flatMap(({ refused }) => refused as unknown[]),
    });
  });
  control.get("/_backlot/env", async (c) => {
    const pages = await fanOut("GET", "/_backlot/env");
    return answerJson(c.env.exchange, 200, {
      environment: Object.assign(
        {},
        ...Object.values(pages).map(({ environment }) => environment),
        trustVariables(certificates().caPath),
      ),
    });
  });
  control.get("/_backlot/capabilities", async (c) =>
    answerJson(c.env.exchange, 200, { services: await fanOut("GET", "/_backlot/capabilities") }),
  );
  control.get("/_backlot/ca.pem", (c) =>
    answer(c.env.exchange, 200, certificates().caPem, { "content-type": "application/x-pem-file" }),
  );

  // An endpoint registered here hears of all emulators: the same secret everywhere, so that it verifies all of them.
  control.post("/_backlot/webhooks/endpoints", async (c) => {
    const input = readBody(c.env.exchange, EndpointInput);
    const first = members[0];
    if (!first) throw new ControlError(503, "no_services", "No emulator is running.");
    const added = await guarded(
      ask<Record<string, unknown> & { secret: string }>(first, "POST", "/_backlot/webhooks/endpoints", input),
    );
    const rest = await guarded(
      askAll<Record<string, unknown>>(members.slice(1), "POST", "/_backlot/webhooks/endpoints", {
        ...input,
        secret: added.secret,
      }),
    );
    return answerJson(c.env.exchange, 201, {
      url: input.url,
      events: input.events,
      secret: added.secret,
      services: { [first.name]: added, ...Object.fromEntries(rest) },
    });
  });
  control.get("/_backlot/webhooks/endpoints", async (c) =>
    answerJson(c.env.exchange, 200, { services: await fanOut("GET", "/_backlot/webhooks/endpoints") }),
  );
  control.get("/_backlot/webhooks/deliveries", async (c) =>
    answerJson(c.env.exchange, 200, { services: await fanOut("GET", c.env.exchange.target) }),
  );
  control.get("/_backlot/dead-letters", async (c) =>
    answerJson(c.env.exchange, 200, { services: await fanOut("GET", c.env.exchange.target) }),
  );
  return control;
}

const JournalQuery = z.strictObject({
  since: z
    .string()
    .regex(/^([a-z0-9-]+:\d+)(,[a-z0-9-]+:\d+)*$/, "a cursor such as twilio:123,smtp:45")
    .optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
  kind: z.string().optional(),
});

/** Variables by which the common runtimes trust the local authority. */
export function trustVariables(caPath: string): Record<string, string> {
  return {
    NODE_EXTRA_CA_CERTS: caPath,
    REQUESTS_CA_BUNDLE: caPath,
    SSL_CERT_FILE: caPath,
    CURL_CA_BUNDLE: caPath,
    AWS_CA_BUNDLE: caPath,
  };
}

async function health(members: readonly Member[]): Promise<Record<string, unknown>> {
  const views = await Promise.all(
    members.map(async (member) => {
      const elapsed = stopwatch();
      try {
        const view = await ask<Health>(member, "GET", "/_backlot/health");
        return [
          member.name,
          {
            status: view.status,
            latency_ms: Math.round(elapsed() * 1000) / 1000,
            ...firstProblem(view),
            checks: view.checks,
          },
          view.configuration_hints,
          view.mode,
        ] as const;
      } catch (cause) {
        const error = cause instanceof Error ? cause.message : String(cause);
        return [
          member.name,
          {
            status: "unhealthy",
            latency_ms: Math.round(elapsed() * 1000) / 1000,
            error,
            hint: `See whether ${member.title} is running.`,
          },
          [],
          "mock",
        ] as const;
      }
    }),
  );
  const worst =
    ["unhealthy", "degraded"].find((status) => views.some(([, view]) => view.status === status)) ?? "healthy";
  return {
    status: worst,
    mode: views.some(([, , , mode]) => mode === "real") ? "real" : "mock",
    checks: Object.fromEntries(views.map(([name, view]) => [name, view])),
    configuration_hints: [...new Set(views.flatMap(([, , hints]) => hints))],
  };
}

function firstProblem(view: Health): { error?: string; hint?: string } {
  const sick = Object.values(view.checks).find((check) => check.status === "unhealthy");
  return {
    ...(sick?.error === undefined ? {} : { error: sick.error }),
    ...(sick?.hint === undefined ? {} : { hint: sick.hint }),
  };
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

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

async function guarded<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    if (cause instanceof MemberError)
      throw new ControlError(cause.status, "service_failed", cause.message, {
        service: cause.member,
        answer: cause.answer,
      });
    throw cause;
  }
}
