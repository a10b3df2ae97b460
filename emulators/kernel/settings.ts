/** Reads the settings and reports every problem at once. */
import { type Definition, definitions } from "./setting-definitions.ts";
import type { Written } from "./setting-forms.ts";

export type SettingName = keyof typeof definitions;
export type Settings = { readonly [Name in SettingName]: Written<(typeof definitions)[Name]["form"]> } & {
  /** True when the environment itself asks for the real services; then nothing can lower it. */
  readonly realAskedBy: string | undefined;
};
export type PortSetting = {
  [Name in SettingName]: Settings[Name] extends number | undefined
    ? Name extends `${string}ort`
      ? Name
      : never
    : never;
}[SettingName];

export interface SettingProblem {
  readonly env: string;
  readonly value: string;
  readonly allowed: string;
}

/** Variables that applications already set to choose between the real services and stand-ins. */
const realSwitches: readonly { env: string; asks: (value: string) => boolean }[] = [
  { env: "BACKLOT_MODE", asks: (value) => value === "real" },
  { env: "USE_REAL_DATA", asks: (value) => ["true", "1", "yes", "on"].includes(value) },
  { env: "APP_MODE", asks: (value) => ["production", "real", "live"].includes(value) },
];

/** Reads all settings and reports every problem at once. `sources` are asked in order; the first that has a value wins. */
export function readSettings(sources: readonly Readonly<Record<string, string | undefined>>[]): {
  settings: Settings;
  problems: readonly SettingProblem[];
} {
  const look = (env: string) => sources.map((source) => source[env]).find((value) => value !== undefined);
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, definition] of Object.entries<Definition>(definitions)) {
    const given = look(definition.env);
    const read = definition.form(given ?? definition.default);
    if ("allowed" in read) problems.push({ env: definition.env, value: given ?? "", allowed: read.allowed });
    const usable = "value" in read ? read : definition.form(definition.default);
    if ("value" in usable) values[name] = usable.value;
  }
  const asked = realSwitches.find(({ env, asks }) => asks((look(env) ?? "").trim().toLowerCase()));
  values.realAskedBy = asked && `${asked.env}=${look(asked.env)}`;
  return { settings: values as Settings, problems };
}

/** Settings for tests and `createSuite`: defaults, with some values given as they would stand in the environment. */
export function settingsFrom(environment: Readonly<Record<string, string | undefined>>): Settings {
  const { settings, problems } = readSettings([environment]);
  if (problems.length > 0) throw new SettingsError(problems);
  return settings;
}

export class SettingsError extends Error {
  readonly problems: readonly SettingProblem[];
  constructor(problems: readonly SettingProblem[]) {
    super(
      [
        "These settings cannot be used:",
        ...problems.map((problem) => `  ${problem.env}=${problem.value}: allowed is ${problem.allowed}`),
      ].join("\n"),
    );
    this.name = "SettingsError";
    this.problems = problems;
  }
}

/** How a client on this machine reaches a server that listens on `host`: wildcards are no address to connect to. */
export function reachableHost(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::" || host === "::0") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
