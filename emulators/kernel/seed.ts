/** Seeds: fixtures/seeds/<name>.yaml through a strict schema. An unknown key is an error that names its path. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import { packageRoot } from "./package-root.ts";

export interface SeedDocument {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly text: string;
  /** What the YAML says, not yet checked. */
  readonly value: unknown;
}

export async function readSeedFile(file: string): Promise<SeedDocument> {
  const source = join(packageRoot(), "fixtures", "seeds", file);
  const text = readFileSync(source, "utf8");
  const known = parsedByBuild()[createHash("sha256").update(text).digest("hex")];
  return known === undefined ? parseSeed(source, text) : { source, text, value: known };
}

/** YAML; JSON is YAML too. */
export async function parseSeed(source: string, text: string): Promise<SeedDocument> {
  const { parse } = await import("./yaml.ts");
  try {
    return { source, text, value: parse(text) ?? {} };
  } catch (cause) {
    throw new SeedError(`${source} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** Every problem is listed with its path. */
export function checkSeed<Seed>(schema: z.ZodType<Seed>, { source, value }: SeedDocument): Seed {
  // A schema that is used once is not worth compiling.
  const parsed = schema.safeParse(value, { jitless: true });
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new SeedError(`${source} cannot be used as a seed:\n${lines.join("\n")}`);
}

export class SeedError extends Error {
  override readonly name = "SeedError";
}

/** The seeds as scripts/build.mjs parsed them, by the SHA-256 of their text: a fifth of a start went into reading YAML. */
function parsedByBuild(): Readonly<Record<string, unknown>> {
  const path = join(packageRoot(), "dist", "seeds.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}
