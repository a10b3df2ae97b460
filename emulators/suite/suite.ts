/** The programmatic API: all emulators, or some, in one process, with one clock and one control API. */
import { createCertificatesLazily } from "../kernel/authority.ts";
import type { Certificates } from "../kernel/certificates.ts";
import { createClock, type Instant } from "../kernel/clock.ts";
import { createLog } from "../kernel/log.ts";
import { definitions } from "../kernel/setting-definitions.ts";
import { type Settings, settingsFrom } from "../kernel/settings.ts";
import { type RunningEmulator, warmAhead } from "../kernel/start.ts";
import { createPageFiles } from "./console/files.ts";
import { createPart } from "./console/part.ts";
import type { SuiteControl } from "./control.ts";
import { describeSuite } from "./described-suite.ts";
import { createRecorder, type Recorder } from "./evidence/recorder.ts";
import { createScenarioRuns } from "./evidence/scenario/runs.ts";
import { createPackShelf } from "./evidence/shelf.ts";
import { type Gateway, openGateway } from "./gateway/gateway.ts";
import { createLeader } from "./leader.ts";
import { controlRequest, type Member } from "./member.ts";
import { startMembers } from "./members.ts";
import { observeMembers } from "./observation.ts";
import { createOwnHost, type OpenHost, openOwnHost, ownRuntime, wholeControl } from "./own-host.ts";
import { createOwnJournal } from "./own-journal.ts";
import { domains } from "./registry.ts";
import type { Services } from "./services.ts";

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

/** @param listen whether sockets are opened; without, the suite is asked in process only */
export async function startSuite(settings: Settings, listen = true): Promise<Suite> {
  requireNode();
  const log = createLog(settings.logLevel);
  const certificates = createCertificatesLazily(settings, domains);
  const wallAnchor = createClock({ mode: "real" }, 1).wall();
  const leader = createLeader(settings, wallAnchor);
  const files = createPageFiles();

  let parts: SuiteControl | undefined;
  let open: OpenHost | undefined;
  const front = (name: string) =>
    createPart({
      name,
      seed: settings.seed,
      files,
      locked: settings.controlToken !== undefined,
      suiteUrl: () => open?.url,
      // Asked for with the first request to the emulator's port, which may come before the suite is complete.
      async control() {
        const member = parts?.members.find((one) => one.name === name);
        if (!parts || !member) throw new Error(`${name} is not up yet`);
        return { app: await wholeControl({ ...parts, members: [member] }), member };
      },
    });
  const { members, emulators, elsewhere, ...rest } = await startMembers(settings, {
    certificates,
    log,
    listen,
    wallAnchor,
    front,
    lead: leader.lead,
  });

  const runtime = ownRuntime(settings, leader.clock, log);
  const { journal } = runtime;
  const gateway = listen
    ? await undoing(
        rest.close,
        openGateway({ ...gatewaySettings(settings), emulators, attached: elsewhere, certificates, journal, log }),
      )
    : undefined;
  const closeOthers = async () => {
    await gateway?.close();
    await rest.close();
  };

  const own = createOwnJournal(runtime, gateway);
  const observation = observeMembers(members, own.member, settings, leader.clock);
  const evidence = createRecorder(() => suite);
  const packs = createPackShelf();
  const scenarios = createScenarioRuns({ clock: leader.clock, packs });
  parts = { members, leader, observation, own, certificates, gateway, evidence, packs, scenarios };

  const host = createOwnHost(runtime, parts, files);
  if (listen) open = await undoing(closeOthers, openOwnHost(host, settings, observation));
  await rest.whenUp;

  const warming = new AbortController();
  const suite = describeSuite({
    settings,
    url: open?.url,
    leader,
    members,
    emulators,
    gateway,
    certificates,
    evidence,
    control: (method, path, body) => host.fetch(controlRequest(settings, path, method, body)),
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
      await open?.close();
      await closeOthers();
    },
  });
  return suite;
}

/** better-sqlite3 needs Node-API 10 and ends an older Node without a word. The command's launcher has looked already. */
function requireNode(): void {
  if (Number(process.versions.napi) < 10)
    throw new Error(
      `Backlot needs Node 22.14 or newer; this is ${process.version}. The backlot command finds one by itself on Linux.`,
    );
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

export type { Services } from "./services.ts";
