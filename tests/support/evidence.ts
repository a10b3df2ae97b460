/** Packs recorded from the shipped scenarios, and folders of them to look at or to tamper with. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import type { Files } from "../../emulators/suite/evidence/files.ts";
import { packArchive, writePack } from "../../emulators/suite/evidence/pack.ts";
import { type Recorded, type RecordOptions, startRecording } from "../../emulators/suite/evidence/record.ts";
import { playScenario } from "../../emulators/suite/evidence/scenario/run.ts";
import { readScenario } from "../../emulators/suite/evidence/scenario/schema.ts";
import { temporaryFolder } from "./command.ts";

export const scenarioFile = (name: string) => join(packageRoot(), "fixtures", "scenarios", `${name}.yaml`);
/** Of the virtual clock, in the scenarios. */
export const start = Date.parse("2026-01-01T09:00:00Z");
export const hash = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export async function recordPack(
  name: string,
  options: RecordOptions & { concurrency?: number; environment?: Record<string, string> } = {},
): Promise<Recorded> {
  const { concurrency, ...recording } = options;
  const scenario = readScenario(scenarioFile(name));
  let recorded: Recorded | undefined;
  const played = await playScenario(scenario, {
    ...(concurrency === undefined ? {} : { concurrency }),
    async around(suite, play) {
      const started = await startRecording(suite, {
        scenario: { name, source: readFileSync(scenarioFile(name), "utf8") },
        failFast: true,
        ...recording,
      });
      recorded = await started.stop((await play()).results);
    },
  });
  expect(played.results.filter(({ failure }) => failure !== undefined)).toEqual([]);
  if (!recorded) throw new Error("nothing was recorded");
  return recorded;
}

/** The archive of a pack, whole in memory. */
export const packTar = (files: Files, epochMs: number): Buffer =>
  Buffer.concat(Array.from(packArchive(files, epochMs), (part) => Buffer.from(part)));

export function packFolder(recorded: Recorded): string {
  const folder = join(temporaryFolder(), "pack");
  writePack(folder, recorded.files);
  return folder;
}
