/** `backlot evidence acceptance`: two runs of the acceptance scenario, a pack of the first, and ACCEPTANCE.md beside it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { packageRoot } from "../../kernel/package-root.ts";
import { acceptanceText, judge } from "../evidence/acceptance.ts";
import { keyFromPem } from "../evidence/attestation.ts";
import { canonicalJson } from "../evidence/canonical.ts";
import type { Recorded } from "../evidence/record.ts";
import { playScenario } from "../evidence/scenario/run.ts";
import { readScenario } from "../evidence/scenario/schema.ts";
import { findChromium, screenshots } from "../evidence/screenshots.ts";
import { timeViewers } from "../evidence/viewers.ts";
import type { Suite } from "../suite.ts";
import type { EvidenceOptions } from "./evidence.ts";

/** 0 every criterion is met, 1 one is not. */
export async function acceptance({ out = "audit_artifacts/acceptance", key }: EvidenceOptions): Promise<number> {
  const folder = resolve(out);
  if (existsSync(join(folder, "pack"))) throw new Error(`${folder} holds a pack already; give another --out.`);
  mkdirSync(folder, { recursive: true });
  const chromium = findChromium(process.env);
  let viewersMs: readonly number[] = [];
  const take = async (suite: Suite): Promise<ReadonlyMap<string, Buffer>> => {
    viewersMs = await timeViewers(suite);
    return chromium === undefined ? new Map() : pictures(chromium, suite);
  };
  const first = await run(1, key, { folder: join(folder, "pack"), take });
  const second = await run(16, key, {});

  first.writeTar(join(folder, "pack.tar"));
  second.writeTar(join(folder, "second-run.tar"));
  writeFileSync(join(folder, "viewers.json"), canonicalJson({ viewersMs }));
  const criteria = judge(first.files, { viewersMs, fingerprints: [first.fingerprint, second.fingerprint] });
  const taken = [...first.files.keys()].filter((path) => path.endsWith(".png"));
  if (chromium !== undefined) {
    const [report] = await screenshots(chromium, [pathToFileURL(join(folder, "pack", "report", "index.html")).href]);
    if (report) writeFileSync(join(folder, "report.png"), report);
  }
  const text = acceptanceText(criteria, taken);
  writeFileSync(join(folder, "ACCEPTANCE.md"), text);
  process.stdout.write(`${text}\n${join(folder, "ACCEPTANCE.md")}\n`);
  return criteria.every(({ passed }) => passed) ? 0 : 1;
}

interface Extras {
  readonly folder?: string;
  readonly take?: (suite: Suite) => Promise<ReadonlyMap<string, Buffer>>;
}

async function run(concurrency: number, key: string | undefined, { folder, take }: Extras): Promise<Recorded> {
  const file = join(packageRoot(), "fixtures", "scenarios", "acceptance.yaml");
  const story = readScenario(file);
  const signing = key === undefined ? undefined : keyFromPem(readFileSync(key, "utf8"));
  let recorded: Recorded | undefined;
  await playScenario(story, {
    concurrency,
    async around(suite, play) {
      await suite.evidence.start({
        title: story.title,
        about: story.about,
        scenario: { name: story.name, source: readFileSync(file, "utf8") },
        failFast: true,
        environment: process.env,
        ...(folder === undefined ? {} : { folder }),
        ...(take === undefined ? {} : { pictures: () => take(suite) }),
        ...(signing === undefined ? {} : { key: signing }),
      });
      const { results } = await play();
      for (const { order, name, failure } of results)
        if (failure !== undefined) process.stderr.write(`Step ${order} ${name} failed: ${failure}\n`);
      recorded = await suite.evidence.stop(results);
    },
  });
  if (!recorded) throw new Error("The scenario ended before anything was recorded.");
  return recorded;
}

const views = ["overview", "journal", "mail", "messages", "webhooks"] as const;

async function pictures(chromium: string, { url }: Suite): Promise<ReadonlyMap<string, Buffer>> {
  if (url === undefined) return new Map();
  const taken = await screenshots(
    chromium,
    views.map((view) => `${url}/#/${view === "overview" ? "" : view}`),
  );
  return new Map(taken.flatMap((picture, n) => (picture ? [[`${views[n]}.png`, picture] as const] : [])));
}
