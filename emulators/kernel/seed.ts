/** Seeds: fixtures/seeds/<name>.yaml through a strict schema. An unknown key is an error that names its path. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as z from "zod";
import { packageRoot } from "./package-root.ts";

/** Which file an emulator is seeded from, and what that may say. */
export interface SeedForm<Seed> {
  /** File name in fixtures/seeds/. */
  readonly file: string;
  /** Asked for when a seed has to be checked: one that the build has checked needs no schema, and no library for it. */
  form(): Promise<z.ZodType<Seed>>;
}

export interface SeedDocument<Seed> {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly text: string;
  readonly seed: Seed;
}

export async function readSeedFile<Seed>(wanted: SeedForm<Seed>): Promise<SeedDocument<Seed>> {
  const source = join(packageRoot(), "fixtures", "seeds", wanted.file);
  const text = readFileSync(source, "utf8");
  const known = checkedByBuild()[fingerprint(text)];
  return known === undefined ? parseSeed(source, text, wanted) : { source, text, seed: known as Seed };
}

/** YAML; JSON is YAML too. Every problem is listed with its path. */
export async function parseSeed<Seed>(
  source: string,
  text: string,
  { form }: Pick<SeedForm<Seed>, "form">,
): Promise<SeedDocument<Seed>> {
  // A schema that is used once is not worth compiling.
  const parsed = (await form()).safeParse(await yaml(source, text), { jitless: true });
  if (parsed.success) return { source, text, seed: parsed.data };
  const lines = parsed.error.issues.map((issue) => `  ${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new SeedError(`${source} cannot be used as a seed:\n${lines.join("\n")}`);
}

async function yaml(source: string, text: string): Promise<unknown> {
  const { parse } = await import("./yaml.ts");
  try {
    return parse(text) ?? {};
  } catch (cause) {
    throw new SeedError(`${source} is not YAML: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

export class SeedError extends Error {
  override readonly name = "SeedError";
}

/** Beside the bundle: the sources, which have none, check each seed by the form that stands there now. */
const checkedFile = join(import.meta.dirname, "seeds.json");

/** The seeds as the build read and checked them, by the SHA-256 of their text: both took a third of a start. */
function checkedByBuild(): Readonly<Record<string, unknown>> {
  return existsSync(checkedFile) ? JSON.parse(readFileSync(checkedFile, "utf8")) : {};
}

/** For the build: reads and checks the seeds of all these, and keeps what they say. One that is edited later is read anew. */
export async function keepCheckedSeeds(forms: readonly SeedForm<unknown>[]): Promise<void> {
  const seeds = await Promise.all(forms.map((wanted) => readSeedFile(wanted)));
  const byText = Object.fromEntries(seeds.map(({ text, seed }) => [fingerprint(text), seed]));
  writeFileSync(checkedFile, JSON.stringify(byText));
}

function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
