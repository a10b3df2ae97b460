/** Seeds: fixtures/seeds/<name>.yaml through a strict schema. An unknown key is an error that names its path. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import type { z } from "zod";
import { packageRoot } from "./package-root.ts";

export interface SeedText {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly text: string;
}

export function readSeedFile(file: string): SeedText {
  const source = join(packageRoot(), "fixtures", "seeds", file);
  return { source, text: readFileSync(source, "utf8") };
}

/** Parses YAML (JSON is YAML too) and checks it; every problem is listed with its path. */
export function parseSeed<Seed>(schema: z.ZodType<Seed>, { source, text }: SeedText): Seed {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new SeedError(`${source} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new SeedError(`${source} cannot be used as a seed:\n${lines.join("\n")}`);
}

export class SeedError extends Error {
  override readonly name = "SeedError";
}
