/** The suite's own server: the console's page, signs of life, and the control API over all members. */
import type { Hono } from "hono";
import type { Clock } from "../kernel/clock.ts";
import { tokenGuard } from "../kernel/control-guard.ts";
import type { KernelEnv } from "../kernel/emulator.ts";
import { feedUpgrades } from "../kernel/feed-permission.ts";
import { attachFeed } from "../kernel/feed-upgrade.ts";
import { createHost, type Host, type HostRuntime } from "../kernel/host.ts";
import { createIds } from "../kernel/ids.ts";
import { createJournal } from "../kernel/journal.ts";
import type { Log } from "../kernel/log.ts";
import { createMode } from "../kernel/mode.ts";
import { once } from "../kernel/once.ts";
import { plainErrors } from "../kernel/plain-errors.ts";
import { serve } from "../kernel/serve.ts";
import { definitions } from "../kernel/setting-definitions.ts";
import { reachableHost, type Settings, settingsFrom } from "../kernel/settings.ts";
import type { PageFiles } from "./console/files.ts";
import { consolePage } from "./console/page.ts";
import { consoleGuard, consoleRoutes } from "./console/server.ts";
import type { SuiteControl } from "./control.ts";
import { suiteVitals } from "./control-vitals.ts";
import { createSuiteGates } from "./gates.ts";
import type { SuiteObservation } from "./observation.ts";
import { statusPage } from "./services.ts";

const journalLimits = { size: 1_000, bytes: 4 * 1024 * 1024 };
const closeWithinMs = 1_000;

/** The suite emulates nothing: it has no store to wait for, and nothing of it is refused in real mode. */
export function ownRuntime(settings: Settings, clock: Clock, log: Log): HostRuntime {
  return {
    name: "suite",
    settings,
    clock,
    ids: createIds(settings.seed),
    journal: createJournal("suite", clock, journalLimits),
    mode: createMode(settingsFrom({})),
    log,
    store: { committed: () => Promise.resolve() },
  };
}

export function createOwnHost(runtime: HostRuntime, parts: SuiteControl, files: PageFiles): Host {
  const { settings } = runtime;
  const { members, observation, certificates, leader } = parts;
  const control = once(async () => {
    const routes = await wholeControl(parts);
    consoleRoutes(routes, members, files);
    return routes;
  });
  const shown = settings.controlToken === undefined ? control : undefined;
  return createHost({
    runtime,
    sites: [{ hosts: [], routes: statusPage(members, settings, certificates), errors: plainErrors }],
    control: { vitals: suiteVitals(members, observation), others: control },
    guard: consoleGuard(tokenGuard(settings.controlToken, observation.tokens), observation.tokens),
    refusal: () => {
      throw new Error("the suite refuses nothing");
    },
    allowedHosts: settings.allowedHosts,
    page: (exchange) => consolePage(exchange, { facts: { seed: settings.seed }, files, control: shown }),
    gates: [],
    controlGates: createSuiteGates(settings, leader.clock),
  });
}

/** Signs of life and all the rest, for whoever asks in process. */
export async function wholeControl(parts: SuiteControl): Promise<Hono<KernelEnv>> {
  const { createSuiteControl } = await import("./control.ts");
  return suiteVitals(parts.members, parts.observation).route("/", createSuiteControl(parts));
}

export interface OpenHost {
  readonly url: string;
  close(): Promise<void>;
}

/** Opens BACKLOT_PORT, and the live journal on it; nothing when the port is off. */
export async function openOwnHost(
  { handle, answersTo }: Host,
  { host, port, controlToken, corsOrigins }: Settings,
  observation: SuiteObservation,
): Promise<OpenHost | undefined> {
  if (port === undefined) return undefined;
  const served = await serve({ host, port, certificates: undefined, handle, setting: definitions.port.env });
  const detach = attachFeed(served.server, feedUpgrades({ ...observation, controlToken, corsOrigins, answersTo }));
  return {
    url: `http://${reachableHost(host)}:${served.port}`,
    async close() {
      detach();
      await served.close(closeWithinMs);
    },
  };
}
