/** The programmatic API: all emulators, or some, in one process, with one clock and one control API. */
import type { Server } from "node:http";
import { Hono } from "hono";
import { createCertificatesLazily } from "../kernel/authority.ts";
import type { Certificates } from "../kernel/certificates.ts";
import { createClock, type Instant } from "../kernel/clock.ts";
import { tokenGuard } from "../kernel/control.ts";
import type { Address, KernelEnv } from "../kernel/emulator.ts";
import { answer } from "../kernel/exchange.ts";
import { createHost, plainErrors } from "../kernel/host.ts";
import { createIds } from "../kernel/ids.ts";
import { createJournal } from "../kernel/journal.ts";
import { createLog } from "../kernel/log.ts";
import { createMode } from "../kernel/mode.ts";
import { serve } from "../kernel/serve.ts";
import { definitions, type Settings, settingsFrom } from "../kernel/settings.ts";
import { type RunningEmulator, startingClock } from "../kernel/start.ts";
import { advanceTogether, type ClockView } from "./conductor.ts";
import { createSuiteControl } from "./control.ts";
import { ask, type Member } from "./member.ts";
import { domains, emulatorNames, type Registered, registry } from "./registry.ts";

export interface SuiteOptions {
  /** Names of the emulators to start; all when absent. */
  readonly only?: readonly string[];
  /** Text from which all data are derived. */
  readonly seed?: string;
  /** `real`, `ticking@<ISO instant>`, `frozen@<ISO instant>`. */
  readonly clock?: string;
  /** Folder in which state survives. */
  readonly dataDir?: string;
  /** More settings, as they would stand in the environment: `{ BACKLOT_PACE: "0" }`. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Suite {
  /** Base URL of the suite's own control API; undefined when its port is off. */
  readonly url: string | undefined;
  readonly settings: Settings;
  readonly mode: "mock" | "real";
  /** Path of the local CA's certificate. */
  readonly caPath: string;
  /** Every variable a client needs to come here. */
  readonly env: Readonly<Record<string, string>>;
  readonly services: Services;
  readonly emulators: readonly RunningEmulator[];
  readonly clock: {
    now(): Instant;
    /** Moves time forward for all, fires everything due in order, and answers when it has settled. */
    advance(
      by: { ms?: number; seconds?: number; minutes?: number; hours?: number; days?: number } | { to: string | Instant },
    ): Promise<Instant>;
  };
  /** Goes back to the state right after the start; answers the digest. */
  reset(): Promise<string>;
  /** Hash over everything a client can see. */
  digest(): Promise<string>;
  /** A call of the suite's control API, in process. */
  control(method: string, path: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** Addresses by service; only what was started is there. */
export interface Services {
  readonly twilio?: { readonly url: string };
  readonly "azure-policyinsights"?: { readonly url: string; readonly httpUrl: string };
  readonly "ec2-spot"?: { readonly url: string; readonly imdsUrl: string };
  readonly smtp?: { readonly host: string; readonly port: number; readonly url: string };
  readonly suite?: { readonly url: string };
}

/** A suite for tests: free ports, state in memory, nothing shared with another suite. */
export function createSuite(options: SuiteOptions = {}): Promise<Suite> {
  const free = Object.fromEntries(
    Object.values(definitions)
      .filter(({ group }) => group === "Ports")
      .map(({ env }) => [env, "0"]),
  );
  const settings = settingsFrom({
    ...free,
    BACKLOT_HOST: "127.0.0.1",
    ...(options.seed === undefined ? {} : { BACKLOT_SEED: options.seed }),
    ...(options.clock === undefined ? {} : { BACKLOT_CLOCK: options.clock }),
    ...(options.dataDir === undefined ? {} : { BACKLOT_DATA_DIR: options.dataDir }),
    ...(options.only === undefined ? {} : { BACKLOT_ONLY: options.only.join(",") }),
    ...options.environment,
  });
  return startSuite(settings);
}

export async function startSuite(settings: Settings, listen = true): Promise<Suite> {
  const chosen = choose(settings.only);
  const log = createLog(settings.logLevel);
  const certificates = createCertificatesLazily(settings, domains);
  const machine = createClock({ mode: "real" }, 1);
  const wallAnchor = machine.wall();
  const startOptions = { settings, certificates, log, listen, wallAnchor };
  const started = await Promise.allSettled(chosen.map((entry) => entry.start(startOptions)));
  const emulators = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failures = started.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  const closeEmulators = () => Promise.all([...emulators].reverse().map((emulator) => emulator.close()));
  if (failures.length > 0) {
    await closeEmulators();
    throw failures.length === 1
      ? failures[0]
      : new AggregateError(
          failures,
          failures.map((cause) => (cause instanceof Error ? cause.message : String(cause))).join("\n"),
        );
  }
  const members = emulators.map((emulator) => memberOf(emulator, settings));
  const clock = createClock(startingClock(settings, wallAnchor), settings.pace);
  const own = {
    name: "suite",
    settings,
    clock,
    ids: createIds(settings.seed),
    journal: createJournal("suite", clock, 1_000),
    mode: createMode(settings),
    log,
    store: { committed: () => Promise.resolve() },
  };
  const host = createHost({
    runtime: { ...own, mode: createMode(settingsFrom({})) }, // the suite itself emulates nothing, so nothing of it is refused
    sites: [{ hosts: [], routes: statusPage(chosen, emulators, settings, certificates), errors: plainErrors }],
    control: createSuiteControl({ members, clock: machine, certificates }),
    guard: tokenGuard(settings.controlToken),
    refusal: () => {
      throw new Error("the suite refuses nothing");
    },
    allowedHosts: settings.allowedHosts,
    gates: [],
  });
  const served =
    listen && settings.port !== undefined
      ? await openSuitePort(settings, settings.port, host.handle, closeEmulators)
      : undefined;
  const url = served && `http://${settings.host}:${served.port}`;
  const control = (method: string, path: string, body?: unknown) =>
    host.fetch(controlRequest(settings, path, method, body));
  const suiteMember: Member = { name: "suite", title: "Backlot", addresses: [], request: control };
  return {
    url,
    settings,
    get mode() {
      return emulators.some(({ runtime }) => runtime.mode.current === "real") ? "real" : "mock";
    },
    get caPath() {
      return certificates().caPath;
    },
    get env() {
      return Object.assign(
        {},
        ...emulators.map((emulator) => emulator.environment()),
        url === undefined ? {} : { BACKLOT_URL: url },
      );
    },
    services: { ...servicesOf(emulators), ...(url === undefined ? {} : { suite: { url } }) },
    emulators,
    clock: {
      now: () => Math.max(...emulators.map(({ runtime }) => runtime.clock.now())),
      async advance(by) {
        const now = Math.max(...emulators.map(({ runtime }) => runtime.clock.now()));
        const target = "to" in by ? (typeof by.to === "string" ? Date.parse(by.to) : by.to) : now + milliseconds(by);
        if (!(target >= now))
          throw new RangeError(
            `the clock shows ${new Date(now).toISOString()} and cannot go back to ${"to" in by ? String(by.to) : JSON.stringify(by)}`,
          );
        await advanceTogether(members, target);
        return target;
      },
    },
    reset: async () => (await ask<{ digest: string }>(suiteMember, "POST", "/_backlot/reset")).digest,
    digest: async () => (await ask<{ digest: string }>(suiteMember, "GET", "/_backlot/digest")).digest,
    control,
    async close() {
      await served?.close(1_000);
      await closeEmulators();
    },
  };
}

export type { ClockView };

async function openSuitePort(
  settings: Settings,
  port: number,
  handle: Parameters<typeof serve>[0]["handle"],
  undo: () => Promise<unknown>,
): Promise<{ port: number; server: Server; close(deadlineMs: number): Promise<void> }> {
  try {
    return await serve({ host: settings.host, port, certificates: undefined, handle, setting: definitions.port.env });
  } catch (cause) {
    await undo();
    throw cause;
  }
}

function choose(only: readonly string[]): readonly Registered[] {
  const unknown = only.filter((name) => !emulatorNames.includes(name));
  if (unknown.length > 0)
    throw new Error(
      `BACKLOT_ONLY names ${unknown.join(", ")}, which is no emulator; there are ${emulatorNames.join(", ")}.`,
    );
  return only.length === 0 ? registry : registry.filter(({ name }) => only.includes(name));
}

function controlRequest(settings: Settings, path: string, method: string, body: unknown): Request {
  return new Request(`http://localhost${path}`, {
    method,
    headers: {
      "content-type": "application/json",
      ...(settings.controlToken === undefined ? {} : { authorization: `Bearer ${settings.controlToken}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function memberOf(emulator: RunningEmulator, settings: Settings): Member {
  return {
    name: emulator.name,
    title: emulator.title,
    addresses: emulator.addresses,
    request: (method, path, body) => emulator.fetch(controlRequest(settings, path, method, body)),
  };
}

function milliseconds({
  ms = 0,
  seconds = 0,
  minutes = 0,
  hours = 0,
  days = 0,
}: {
  ms?: number;
  seconds?: number;
  minutes?: number;
  hours?: number;
  days?: number;
}): number {
  return ms + 1000 * (seconds + 60 * (minutes + 60 * (hours + 24 * days)));
}

export function addressUrl(
  addresses: readonly Address[],
  name: string,
  scheme?: Address["scheme"],
): string | undefined {
  const found = addresses.find(
    (address) => address.name === name && (scheme === undefined || address.scheme === scheme),
  );
  if (!found) return undefined;
  return found.scheme === "tcp" ? `${found.host}:${found.port}` : `${found.scheme}://${found.host}:${found.port}`;
}

function servicesOf(emulators: readonly RunningEmulator[]): Services {
  const of = (name: string) => emulators.find((emulator) => emulator.name === name)?.addresses;
  const [twilio, azure, ec2, smtp] = [of("twilio"), of("azure-policyinsights"), of("ec2-spot"), of("smtp")];
  const tcp = smtp?.find((address) => address.name === "smtp");
  return {
    ...(twilio ? { twilio: { url: addressUrl(twilio, "api") ?? "" } } : {}),
    ...(azure
      ? {
          "azure-policyinsights": {
            url: addressUrl(azure, "arm", "https") ?? "",
            httpUrl: addressUrl(azure, "arm", "http") ?? "",
          },
        }
      : {}),
    ...(ec2 ? { "ec2-spot": { url: addressUrl(ec2, "ec2") ?? "", imdsUrl: addressUrl(ec2, "imds") ?? "" } } : {}),
    ...(smtp ? { smtp: { host: tcp?.host ?? "", port: tcp?.port ?? 0, url: addressUrl(smtp, "mailbox") ?? "" } } : {}),
  };
}

/** One line per service: where it is and how to point a client at it. */
export function pointers(
  chosen: readonly Registered[],
  emulators: readonly RunningEmulator[],
  certificates: () => Certificates,
): readonly { readonly title: string; readonly address: string; readonly pointing: string }[] {
  return chosen.flatMap((entry) => {
    const emulator = emulators.find(({ name }) => name === entry.name);
    if (!emulator) return [];
    const first = emulator.addresses[0];
    const pointing = entry.pointing.replace(/\{(\w+)\}/g, (_, name: string) =>
      name === "ca" ? certificates().caPath : (addressUrl(emulator.addresses, name) ?? "(off)"),
    );
    return [
      {
        title: entry.title,
        address: first ? (addressUrl(emulator.addresses, first.name, first.scheme) ?? "") : "(off)",
        pointing,
      },
    ];
  });
}

function statusPage(
  chosen: readonly Registered[],
  emulators: readonly RunningEmulator[],
  settings: Settings,
  certificates: () => Certificates,
): Hono<KernelEnv> {
  const app = new Hono<KernelEnv>();
  app.get("/", (c) => {
    const lines = pointers(chosen, emulators, certificates).map(
      ({ title, address, pointing }) => `${title.padEnd(22)} ${address.padEnd(26)} ${pointing}`,
    );
    const mode = emulators.some(({ runtime }) => runtime.mode.current === "real")
      ? "real (everything is refused)"
      : "mock";
    const text = [
      "Backlot",
      `mode ${mode}, seed ${settings.seed}, clock ${settings.clock}`,
      "",
      ...lines,
      "",
      "Control API: /_backlot/health, /_backlot/services, /_backlot/journal, /_backlot/env",
      "",
    ].join("\n");
    return answer(c.env.exchange, 200, text, { "content-type": "text/plain; charset=utf-8" });
  });
  return app;
}
