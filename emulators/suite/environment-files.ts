/** Settings come from the environment, then `.env.<BACKLOT_ENV>`, then `.env`, all in the working folder. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { readSettings, type SettingProblem, type Settings } from "../kernel/settings.ts";

export interface Loaded {
  readonly settings: Settings;
  readonly problems: readonly SettingProblem[];
  /** Files that were read, first wins. */
  readonly files: readonly string[];
}

/** @param given what the command line sets, before everything else */
export function loadSettings(
  folder: string,
  environment: Readonly<Record<string, string | undefined>>,
  given: Readonly<Record<string, string>> = {},
): Loaded {
  const read = (path: string) =>
    existsSync(path) ? [{ path, values: parseEnv(readFileSync(path, "utf8")) as Record<string, string> }] : [];
  const common = read(join(folder, ".env"));
  const name = given.BACKLOT_ENV ?? environment.BACKLOT_ENV ?? common[0]?.values.BACKLOT_ENV ?? "development";
  const found = [...read(join(folder, `.env.${name}`)), ...common];
  return {
    ...readSettings([given, environment, ...found.map(({ values }) => values)]),
    files: found.map(({ path }) => path),
  };
}
