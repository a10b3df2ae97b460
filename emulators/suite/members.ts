/** The emulators that a suite leads: those it starts in this process, and those it attaches where they run. */

import type { Log } from "../kernel/log.ts";
import type { Settings } from "../kernel/settings.ts";
import type { RunningEmulator, StartOptions } from "../kernel/start.ts";
import { attach, attachments } from "./attach.ts";
import { closest } from "./closest.ts";
import { controlRequest, type Member } from "./member.ts";
import { emulatorNames, type Registered, registry } from "./registry.ts";

export interface Members {
  /** All, in the order of the registry. */
  readonly members: readonly Member[];
  /** Those in this process. */
  readonly emulators: readonly RunningEmulator[];
  /** Addresses of those that run elsewhere, by name. */
  readonly elsewhere: ReadonlyMap<string, string>;
  /** Resolves when each of those answered for the first time. */
  readonly whenUp: Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Starts and attaches what BACKLOT_ONLY and BACKLOT_ATTACH name: all in this process when neither names any.
 * @throws when a name is none of an emulator, or when one cannot be started; then none is left running
 */
export async function startMembers(
  settings: Settings,
  {
    lead,
    ...options
  }: Omit<StartOptions, "settings" | "log"> & { readonly log: Log; readonly lead: (member: Member) => Promise<void> },
): Promise<Members> {
  const elsewhere = attachments(settings.attach);
  checkNames("BACKLOT_ONLY (--only)", settings.only);
  checkNames("BACKLOT_ATTACH", elsewhere.keys());
  const chosen = registry.filter(
    ({ name }) => (settings.only.length === 0 && elsewhere.size === 0) || settings.only.includes(name),
  );
  const emulators = await startAll(
    chosen.filter(({ name }) => !elsewhere.has(name)),
    { ...options, settings },
  );
  const attached = [...elsewhere].map(([name, url]) =>
    attach({ name, url, title: titleOf(name), token: settings.controlToken, log: options.log, lead }),
  );
  return {
    members: [...emulators.map((emulator) => memberOf(emulator, settings)), ...attached].sort(
      (left, right) => emulatorNames.indexOf(left.name) - emulatorNames.indexOf(right.name),
    ),
    emulators,
    elsewhere,
    whenUp: Promise.all(attached.map(({ whenUp }) => whenUp)),
    async close() {
      for (const member of attached) member.close();
      await Promise.all([...emulators].reverse().map((emulator) => emulator.close()));
    },
  };
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
