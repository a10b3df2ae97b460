/** The programmatic API: all emulators, or some, in one process, with one clock and one control API. */
import type { Server } from "node:http";
import type { Hono } from "hono";
import { createCertificatesLazily } from "../kernel/authority.ts";
import type { Certificates } from "../kernel/certificates.ts";
import { createClock, type Instant, isoMilliseconds } from "../kernel/clock.ts";
import { tokenGuard } from "../kernel/control-guard.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { feedUpgrades } from "../kernel/feed-permission.ts";
import { attachFeed } from "../kernel/feed-upgrade.ts";
import { createHost, type HostRuntime } from "../kernel/host.ts";
import { createIds } from "../kernel/ids.ts";
import { createJournal } from "../kernel/journal.ts";
import { createLog } from "../kernel/log.ts";
import { createMode } from "../kernel/mode.ts";
import { once } from "../kernel/once.ts";
import { plainErrors } from "../kernel/plain-errors.ts";
import { serve } from "../kernel/serve.ts";
import { definitions } from "../kernel/setting-definitions.ts";
import { reachableHost, type Settings, settingsFrom } from "../kernel/settings.ts";
import { type RunningEmulator, type StartOptions, warmAhead } from "../kernel/start.ts";
import { attach, attachments } from "./attach.ts";
import { closest } from "./closest.ts";
import { createPageFiles } from "./console/files.ts";
import { consolePage } from "./console/page.ts";
import { createPart } from "./console/part.ts";
import { consoleGuard, consoleRoutes } from "./console/server.ts";
import type { SuiteControl } from "./control.ts";
import { suiteVitals } from "./control-vitals.ts";
import { createRecorder, type Recorder } from "./evidence/recorder.ts";
import { createScenarioRuns } from "./evidence/scenario/runs.ts";
import { createPackShelf } from "./evidence/shelf.ts";
import { createSuiteGates } from "./gates.ts";
import { type Gateway, openGateway } from "./gateway/gateway.ts";
import { createLeader, type Leader } from "./leader.ts";
import { ask, type Member } from "./member.ts";
import { observeMembers } from "./observation.ts";
import { createOwnJournal } from "./own-journal.ts";
import { domains, emulatorNames, type Registered, registry } from "./registry.ts";
import { gatewayService, type Services, servicesOf, statusPage } from "./services.ts";

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
  certificates(): Certificates;
  /** Every variable a client needs to come here. */
  readonly env: Readonly<Record<string, string>>;
  readonly services: Services;
  /** Every emulator, in this process or attached. */
  readonly members: readonly Member[];
  /** Those in this process. */
  readonly emulators: readonly RunningEmulator[];
  /** Forward proxy, TLS by SNI and the list of what tried to leave; absent when no socket was opened. */
  readonly gateway: Gateway | undefined;
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
  /** Records what happens and makes a pack of it that an auditor can check. */
  readonly evidence: Recorder;
  /** Does ahead, when nothing else is to be done, what the first requests would wait for. */
  warmUp(): void;
  /** A call of the suite's control API, in process. */
  control(method: string, path: string, body?: unknown): Promise<Response>;
  close(): Promise<void>;
}

/** Free ports on loopback, ranges of ports off: what suites that must not get in each other's way have in common. */
export function privatePorts(): Record<string, string> {
  const ports = Object.values(definitions).filter(({ group }) => group === "Ports");
  return {
    ...Object.fromEntries(ports.map(({ env }) => [env, env.endsWith("_PORT") ? "0" : ""])),
    BACKLOT_HOST: "127.0.0.1",
  };
}

/** A suite for tests: free ports, state in memory, nothing shared with another suite. */
export function createSuite(options: SuiteOptions = {}): Promise<Suite> {
  const settings = settingsFrom({
    ...privatePorts(),
    ...(options.seed === undefined ? {} : { BACKLOT_SEED: options.seed }),
    ...(options.clock === undefined ? {} : { BACKLOT_CLOCK: options.clock }),
    ...(options.dataDir === undefined ? {} : { BACKLOT_DATA_DIR: options.dataDir }),
    ...(options.only === undefined ? {} : { BACKLOT_ONLY: options.only.join(",") }),
    ...options.environment,
  });
  return startSuite(settings);
}

export async function startSuite(settings: Settings, listen = true): Promise<Suite> {
  const elsewhere = attachments(settings.attach);
  checkNames("BACKLOT_ONLY (--only)", settings.only);
  checkNames("BACKLOT_ATTACH", elsewhere.keys());
  const chosen = registry.filter(
    ({ name }) => (settings.only.length === 0 && elsewhere.size === 0) || settings.only.includes(name),
  );
  const log = createLog(settings.logLevel);
  const certificates = createCertificatesLazily(settings, domains);
  const wallAnchor = createClock({ mode: "real" }, 1).wall();
  const leader = createLeader(settings, wallAnchor);
  let address: string | undefined;
  const files = createPageFiles();
  const locked = settings.controlToken !== undefined;
  const partOf = (name: string) => ({
    name,
    seed: settings.seed,
    files,
    locked,
    suiteUrl: () => address,
    async control() {
      const member = members.find((one) => one.name === name);
      if (!member) throw new Error(`${name} is not up yet`);
      return { app: await wholeControl({ ...parts, members: [member] }), member };
    },
  });
  const emulators = await startAll(
    chosen.filter(({ name }) => !elsewhere.has(name)),
    { settings, certificates, log, listen, wallAnchor, front: (name) => createPart(partOf(name)) },
  );
  const attached = [...elsewhere].map(([name, url]) =>
    attach({ name, url, title: titleOf(name), token: settings.controlToken, log, lead: leader.lead }),
  );
  const members: readonly Member[] = [...emulators.map((emulator) => memberOf(emulator, settings)), ...attached].sort(
    (left, right) => emulatorNames.indexOf(left.name) - emulatorNames.indexOf(right.name),
  );
  const closeMembers = async () => {
    for (const member of attached) member.close();
    await Promise.all([...emulators].reverse().map((emulator) => emulator.close()));
  };
  const journal = createJournal("suite", leader.clock, { size: 1_000, bytes: 4 * 1024 * 1024 });
  const gateway = listen
    ? await undoing(
        closeMembers,
        openGateway({ ...gatewaySettings(settings), emulators, attached: elsewhere, certificates, journal, log }),
      )
    : undefined;
  const closeAll = async () => {
    await gateway?.close();
    await closeMembers();
  };
  const runtime: HostRuntime = {
    name: "suite",
    settings,
    clock: leader.clock,
    ids: createIds(settings.seed),
    journal,
    mode: createMode(settingsFrom({})), // the suite itself emulates nothing, so nothing of it is refused
    log,
    store: { committed: () => Promise.resolve() },
  };
  const own = createOwnJournal(runtime, gateway);
  const observation = observeMembers(members, own.member, settings, leader.clock);
  const evidence = createRecorder(() => suite);
  const packs = createPackShelf();
  const scenarios = createScenarioRuns({ clock: leader.clock, packs });
  const parts: SuiteControl = { members, leader, observation, own, certificates, gateway, evidence, packs, scenarios };
  const control = once(async () => {
    const routes = await wholeControl(parts);
    consoleRoutes(routes, members, files);
    return routes;
  });
  const host = createHost({
    runtime,
    sites: [
      {
        hosts: [],
        routes: statusPage(members, settings, certificates),
        errors: plainErrors,
      },
    ],
    control: { vitals: suiteVitals(members, observation), others: control },
    guard: consoleGuard(tokenGuard(settings.controlToken, observation.tokens), observation.tokens),
    refusal: () => {
      throw new Error("the suite refuses nothing");
    },
    allowedHosts: settings.allowedHosts,
    page: (exchange) =>
      consolePage(exchange, { facts: { seed: settings.seed }, files, control: locked ? undefined : control }),
    gates: [],
    controlGates: createSuiteGates(settings, leader.clock),
  });
  const served =
    listen && settings.port !== undefined
      ? await undoing(closeAll, openSuitePort(settings, settings.port, host.handle))
      : undefined;
  const url = served && `http://${reachableHost(settings.host)}:${served.port}`;
  address = url;
  const warming = new AbortController();
  const { controlToken, corsOrigins } = settings;
  const detach =
    served &&
    attachFeed(served.server, feedUpgrades({ ...observation, controlToken, corsOrigins, answersTo: host.answersTo }));
  await Promise.all(attached.map(({ whenUp }) => whenUp));
  const ownControl = (method: string, path: string, body?: unknown) =>
    host.fetch(controlRequest(settings, path, method, body));
  const suite = describeSuite({
    settings,
    url,
    leader,
    members,
    emulators,
    gateway,
    certificates,
    evidence,
    control: ownControl,
    warmUp() {
      for (const emulator of emulators) emulator.warmUp();
      warmAhead([{ host }], [], { signal: warming.signal, log });
    },
    async close() {
      warming.abort();
      await scenarios.close();
      packs.close();
      observation.close();
      own.close();
      detach?.();
      await served?.close(1_000);
      await closeAll();
    },
  });
  return suite;
}

/** Signs of life and all the rest, for whoever asks in process. */
async function wholeControl(parts: SuiteControl): Promise<Hono<KernelEnv>> {
  const { createSuiteControl } = await import("./control.ts");
  return suiteVitals(parts.members, parts.observation).route("/", createSuiteControl(parts));
}

function describeSuite(parts: {
  readonly settings: Settings;
  readonly url: string | undefined;
  readonly leader: Leader;
  readonly members: readonly Member[];
  readonly emulators: readonly RunningEmulator[];
  readonly gateway: Gateway | undefined;
  readonly certificates: () => Certificates;
  readonly evidence: Recorder;
  readonly control: Suite["control"];
  readonly warmUp: () => void;
  readonly close: () => Promise<void>;
}): Suite {
  const { settings, url, leader, members, emulators, gateway, certificates, evidence, control, warmUp, close } = parts;
  const own: Member = { name: "suite", title: "Backlot", addresses: [], request: control };
  return {
    url,
    settings,
    get mode() {
      return leader.mode.current;
    },
    certificates,
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
    services: { ...servicesOf(members), ...gatewayService(gateway), ...(url === undefined ? {} : { suite: { url } }) },
    members,
    emulators,
    gateway,
    clock: {
      now: () => leader.clock.now(),
      async advance(by) {
        const now = leader.clock.now();
        const target = "to" in by ? (typeof by.to === "string" ? Date.parse(by.to) : by.to) : now + milliseconds(by);
        if (!(target >= now))
          throw new RangeError(
            `the clock shows ${isoMilliseconds(now)} and cannot go back to ${"to" in by ? String(by.to) : JSON.stringify(by)}`,
          );
        await ask(own, "POST", "/_backlot/clock/advance", { to: isoMilliseconds(target) });
        return target;
      },
    },
    reset: async () => (await ask<{ digest: string }>(own, "POST", "/_backlot/reset")).digest,
    digest: async () => (await ask<{ digest: string }>(own, "GET", "/_backlot/digest")).digest,
    evidence,
    control,
    warmUp,
    close,
  };
}

async function startAll(chosen: readonly Registered[], options: StartOptions): Promise<readonly RunningEmulator[]> {
  const started = await Promise.allSettled(chosen.map((entry) => entry.start(options)));
  const emulators = started.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  const failures = started.flatMap((result) => (result.status === "rejected" ? [result.reason as unknown] : []));
  if (failures.length === 0) return emulators;
  await Promise.all(emulators.map((emulator) => emulator.close()));
  if (failures.length === 1) throw failures[0];
  throw new AggregateError(
    failures,
    [...new Set(failures.map((cause) => (cause instanceof Error ? cause.message : String(cause))))].join("\n"),
  );
}

function checkNames(setting: string, names: Iterable<string>): void {
  for (const name of names) {
    if (emulatorNames.includes(name)) continue;
    const meant = closest(name, emulatorNames);
    throw new Error(
      `${setting} names ${name}, which is no emulator${meant === undefined ? "." : `; did you mean ${meant}?`} There are ${emulatorNames.join(", ")}.`,
    );
  }
}

export type { Services } from "./services.ts";

function openSuitePort(
  settings: Settings,
  port: number,
  handle: Parameters<typeof serve>[0]["handle"],
): Promise<{ port: number; server: Server; close(deadlineMs: number): Promise<void> }> {
  return serve({ host: settings.host, port, certificates: undefined, handle, setting: definitions.port.env });
}

/** What was started before is closed again when the next step fails. */
async function undoing<T>(undo: () => Promise<unknown>, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (cause) {
    await undo();
    throw cause;
  }
}

function gatewaySettings({ host, proxyPort, tlsPort, egressAllow }: Settings) {
  return { host, proxyPort, tlsPort, allow: egressAllow };
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

function titleOf(name: string): string {
  return registry.find((entry) => entry.name === name)?.title ?? name;
}

function memberOf(emulator: RunningEmulator, settings: Settings): Member {
  return {
    name: emulator.name,
    title: titleOf(emulator.name),
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
