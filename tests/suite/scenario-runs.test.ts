/** Scenarios and the shelf of packs, as the console asks for them by the control API. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { playScenario } from "../../emulators/suite/evidence/scenario/run.ts";
import { readScenario } from "../../emulators/suite/evidence/scenario/schema.ts";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { temporaryFolder } from "../support/command.ts";

const folder = join(packageRoot(), "fixtures", "scenarios");

async function start(): Promise<Suite> {
  const suite = await createSuite({ only: ["smtp"], environment: { BACKLOT_LOG_LEVEL: "silent" } });
  onTestFinished(() => suite.close());
  return suite;
}

interface Run {
  readonly id: string;
  readonly state: string;
  readonly pack: string | null;
  readonly problem: string | null;
  readonly steps: readonly { readonly name: string; readonly done: number; readonly repeat: number }[];
}

async function ask<T>(suite: Suite, method: string, path: string, body?: unknown): Promise<T> {
  const response = await suite.control(method, `/_backlot${path}`, body);
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

async function ended(suite: Suite, id: string): Promise<Run> {
  for (;;) {
    const run = await ask<Run>(suite, "GET", `/scenarios/runs/${id}`);
    if (run.state !== "running") return run;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("every shipped scenario is listed with its steps", async () => {
  const suite = await start();
  const { scenarios } = await ask<{ scenarios: { name: string; steps: number }[] }>(suite, "GET", "/scenarios");
  expect(scenarios.map(({ name }) => `${name}.yaml`)).toEqual(readdirSync(folder).sort());
  expect(scenarios.every(({ steps }) => steps > 3)).toBe(true);
});

test("a run shows its steps as they are done, leaves the suite alone, and makes the pack that the command makes", async () => {
  const suite = await start();
  const digest = await suite.digest();
  const started = await ask<Run>(suite, "POST", "/scenarios/dead-letter-drill/run", { evidence: true });
  expect(started).toMatchObject({ state: "running", pack: null });
  expect(started.steps.every(({ done }) => done === 0)).toBe(true);
  await expect(ask(suite, "POST", "/scenarios/message-callbacks/run")).rejects.toThrow(/409.*is under way/);
  const counts = new Set<number>();
  let run = started;
  while (run.state === "running") {
    run = await ask<Run>(suite, "GET", `/scenarios/runs/${started.id}`);
    counts.add(run.steps.filter(({ done }) => done > 0).length);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(counts.size).toBeGreaterThan(2);
  expect(run).toMatchObject({ state: "passed", problem: null });
  expect(run.steps.every(({ done, repeat }) => done === repeat)).toBe(true);
  expect(run.steps.find(({ name }) => name === "Five mails come in")?.done).toBe(5);
  expect(await suite.digest()).toBe(digest);

  const { packs } = await ask<{ packs: { id: string; fingerprint: string }[] }>(suite, "GET", "/evidence/packs");
  expect(packs.map(({ id }) => id)).toEqual([run.pack]);
  const path = join(folder, "dead-letter-drill.yaml");
  const story = readScenario(path);
  let fingerprint = "";
  await playScenario(story, {
    async around(other, play) {
      const scenario = { name: story.name, source: readFileSync(path, "utf8") };
      await other.evidence.start({
        title: story.title,
        about: story.about,
        scenario,
        failFast: true,
        environment: process.env,
      });
      fingerprint = (await other.evidence.stop((await play()).results)).fingerprint;
    },
  });
  expect(packs[0]?.fingerprint).toBe(fingerprint);
}, 60_000);

test("packs are listed, downloaded, verified and let go", async () => {
  const suite = await start();
  const run = await ask<Run>(suite, "POST", "/scenarios/dead-letter-drill/run", { evidence: true });
  const { pack } = await ended(suite, run.id);
  await ask(suite, "POST", "/evidence/start", { title: "By hand" });
  const made = await ask<{ id: string; fingerprint: string }>(suite, "POST", "/evidence/stop");
  const list = async () =>
    (await ask<{ packs: { id: string; title: string }[] }>(suite, "GET", "/evidence/packs")).packs;
  expect((await list()).map(({ id }) => id)).toEqual([made.id, pack]);
  expect((await list())[0]?.title).toBe("By hand");
  expect(await ask(suite, "GET", `/evidence/packs/${pack}/verdict`)).toMatchObject({
    code: 0,
    findings: [],
    signature: "integrity only",
  });
  const file = join(temporaryFolder(), "pack.tar");
  const archive = await suite.control("GET", `/_backlot/evidence/packs/${made.id}/pack.tar`);
  writeFileSync(file, Buffer.from(await archive.arrayBuffer()));
  expect(verifyPack(file, { sha256: made.fingerprint }).code).toBe(0);
  await ask(suite, "DELETE", `/evidence/packs/${pack}`);
  expect((await list()).map(({ id }) => id)).toEqual([made.id]);
  for (const path of [`packs/${pack}/verdict`, `packs/${pack}/pack.tar`])
    expect((await suite.control("GET", `/_backlot/evidence/${path}`)).status).toBe(404);
}, 60_000);

test("a run can be stopped; what is not there is named with what is", async () => {
  const suite = await start();
  await expect(ask(suite, "POST", "/scenarios/..%2Fpackage/run")).rejects.toThrow(/404.*dead-letter-drill/);
  await expect(ask(suite, "GET", "/scenarios/runs/x-1")).rejects.toThrow(/404/);
  const { id } = await ask<Run>(suite, "POST", "/scenarios/spot-switch/run");
  await ask(suite, "POST", `/scenarios/runs/${id}/stop`);
  const run = await ended(suite, id);
  expect(run).toMatchObject({ state: "stopped", pack: null });
  expect(run.steps.filter(({ done }) => done > 0)).toHaveLength(1);
  await expect(ask(suite, "POST", `/scenarios/runs/${id}/stop`)).rejects.toThrow(/409/);
});

test("in real mode there are neither scenarios nor packs", async () => {
  const suite = await start();
  await ask(suite, "PUT", "/mode", { mode: "real" });
  for (const [method, path] of [
    ["GET", "/scenarios"],
    ["GET", "/scenarios/runs"],
    ["POST", "/scenarios/dead-letter-drill/run"],
    ["GET", "/evidence"],
    ["GET", "/evidence/packs"],
    ["GET", "/evidence/pack.tar"],
    ["POST", "/evidence/start"],
    ["POST", "/evidence/stop"],
  ] as const) {
    const response = await suite.control(method, `/_backlot${path}`, method === "POST" ? {} : undefined);
    expect(response.status, path).toBe(503);
    expect(await response.json()).toMatchObject({ error: "real_mode" });
  }
  await ask(suite, "PUT", "/mode", { mode: "mock" });
  expect((await suite.control("GET", "/_backlot/evidence")).status).toBe(200);
  expect((await suite.control("GET", "/_backlot/evidence/nothing")).status).toBe(404);
});
