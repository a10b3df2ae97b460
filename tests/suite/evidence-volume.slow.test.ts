/** A long run: how fast it is recorded, built and verified, and what memory that takes. Figures are printed. */
import { execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { type Generators, startGenerators } from "../../scripts/bench/load/generator.ts";
import { counterMark } from "../../scripts/bench/load/plan.ts";
import { rawRequest } from "../../scripts/bench/load/request.ts";
import { run, temporaryFolder } from "../support/command.ts";
import type { Measured, Order } from "../support/evidence-process.ts";

interface Subject {
  readonly smtp: number;
  readonly generators: Generators;
  tell(order: Order): Promise<Measured>;
  /** Texts created at 16 connections; resolves with how many a second. */
  create(count: number): Promise<number>;
  read(count: number): Promise<number>;
}

async function subject(): Promise<Subject> {
  const child = fork(join(packageRoot(), "tests", "support", "evidence-process.ts"), [], {
    cwd: packageRoot(),
    execArgv: ["--import", "tsx", "--expose-gc"],
    env: { PATH: process.env.PATH, HOME: process.env.HOME },
  });
  const generators = startGenerators();
  onTestFinished(async () => {
    generators.close();
    child.disconnect();
    await once(child, "exit");
  });
  const [{ twilio, smtp, sid, token, from }] = (await once(child, "message")) as [Record<string, string>];
  const url = new URL(`${twilio}/2010-04-01/Accounts/${sid}/Messages.json`);
  const authorization = `Basic ${btoa(`${sid}:${token}`)}`;
  const form = new URLSearchParams({ To: "+12025550110", From: from ?? "", Body: "Your code is " });
  const creation = rawRequest({
    method: "POST",
    url,
    headers: { authorization, "content-type": "application/x-www-form-urlencoded" },
    body: `${form}${counterMark}`,
  });
  const load = async (requests: readonly string[], status: number, count: number) =>
    (
      await generators.http.run({
        warmUp: { ms: 60_000, operations: 1 },
        measured: { ms: 60_000, operations: count - 1 },
        port: Number(url.port),
        connections: 16,
        requests,
        status,
      })
    ).perSecond;
  return {
    smtp: Number(smtp),
    generators,
    async tell(order) {
      child.send(order);
      const [answer] = (await once(child, "message")) as [Measured & { readonly problem?: string }];
      if (answer.problem !== undefined) throw new Error(answer.problem);
      return answer;
    },
    create: (count) => load([creation], 201, count),
    async read(count) {
      const list = await fetch(`${url}?PageSize=50`, { headers: { authorization } });
      const { messages } = (await list.json()) as { messages: readonly { sid: string }[] };
      const one = (name: string) => new URL(`${url.href.replace(/\.json$/, "")}/${name}.json`);
      const fetches = messages.map((message) =>
        rawRequest({ method: "GET", url: one(message.sid), headers: { authorization } }),
      );
      return load(fetches, 200, count);
    },
  };
}

const median = (values: readonly number[]) => [...values].sort((left, right) => left - right)[values.length >> 1] ?? 0;

const tries = 3;

/** Room for a machine that is slower than the one of the bars, or does something else. */
const tolerance = 1.5;

/**
 * Where ext4 has no journal it looks, for every file it makes, at all that was deleted in the last half minute (its
 * recently_deleted()): a pack has five thousand files, and what deletes thousands is the tests that came before.
 */
async function calmDisk(place: string): Promise<void> {
  for (let waits = 0; waits < 8; waits += 1) {
    const folder = mkdtempSync(join(place, "calm-"));
    const before = process.cpuUsage();
    for (let n = 0; n < 200; n += 1) writeFileSync(join(folder, String(n)), "x");
    if (process.cpuUsage(before).system < 200 * 200) return; // microseconds, for each of them
    await sleep(5_000);
  }
}

const spoilt = { retry: 2 }; // by whatever else the machine does

test("10,000 requests and 1,000 mails: built in 5 s, verified in 2 s, with less than 200 MB", spoilt, async () => {
  const { tell, create, read, generators, smtp } = await subject();
  const place = temporaryFolder();
  const extent = { ms: 60_000, operations: 500 };
  const built: number[] = [];
  const worked: number[] = [];
  const grown: number[] = [];
  let folder = "";
  while (built.length < tries && !(Math.min(...built) < 5_000)) {
    folder = join(place, String(built.length));
    await tell({ start: folder });
    await create(5_000);
    await read(5_000);
    await generators.smtp.run({ warmUp: extent, measured: extent, port: smtp, connections: 4, size: 2_000 });
    await calmDisk(place);
    const { resident } = await tell({ memory: true });
    const { wallMs, cpuMs, peak } = await tell({ stop: true });
    built.push(wallMs);
    worked.push(cpuMs);
    grown.push(peak - resident);
  }
  const { counts } = JSON.parse(readFileSync(join(folder, "mode.json"), "utf8"));
  expect(counts.requests.twilio).toBeGreaterThanOrEqual(10_000);
  expect(counts.messages).toBeGreaterThanOrEqual(1_000);

  const verified: number[] = [];
  for (let round = 0; round < tries; round += 1) {
    const began = performance.now();
    expect(await run(["evidence", "verify", folder])).toMatchObject({ code: 0 });
    verified.push(performance.now() - began);
  }
  execFileSync("sha256sum", ["-c", "--strict", "--quiet", "SHA256SUMS"], { cwd: folder });
  const shown = (values: readonly number[]) => values.map((value) => value.toFixed(0)).join(", ");
  process.stdout.write(
    `evidence: built in ${shown(built)} ms (${shown(worked)} ms of work), ${shown(grown)} MB more at most; verified in ${shown(verified)} ms\n`,
  );
  expect(Math.max(...grown)).toBeLessThan(200);
  // The wall time where nothing else ran, else the work: on an idle machine it takes no longer than that.
  expect(Math.min(...built, ...worked)).toBeLessThan(5_000);
  expect(Math.min(...built)).toBeLessThan(5_000 * tolerance);
  expect(Math.min(...verified)).toBeLessThan(2_000 * tolerance);
});

test("recording takes less than 15 % of the throughput", spoilt, async () => {
  const { tell, create } = await subject();
  const place = temporaryFolder();
  const rounds: { plain: number; recorded: number }[] = [];
  await create(4_000); // code becomes warm, and the journal full
  for (let round = 0; round < 7; round += 1) {
    // Turn by turn, and each first every other time: what else the machine does, and what has piled up, falls on both.
    const measured = { plain: 0, recorded: 0 };
    for (const what of round % 2 === 0 ? (["plain", "recorded"] as const) : (["recorded", "plain"] as const)) {
      const folder = join(place, String(round));
      if (what === "recorded") await tell({ start: folder });
      measured[what] = await create(2_000);
      if (what === "recorded") await tell({ stop: true });
      rmSync(folder, { recursive: true, force: true });
    }
    rounds.push(measured);
  }
  const ratio = median(rounds.map(({ recorded }) => recorded)) / median(rounds.map(({ plain }) => plain));
  process.stdout.write(
    `evidence: ${rounds.map(({ plain, recorded }) => `${plain.toFixed(0)}/s plain, ${recorded.toFixed(0)}/s recorded`).join("; ")}; ratio ${ratio.toFixed(2)}\n`,
  );
  expect(ratio).toBeGreaterThanOrEqual(0.85);
});
