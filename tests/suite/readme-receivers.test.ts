/** The README's receivers, run as they stand there, against the whole rejection matrix; and its commands that plan things. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import type { ProbeReport } from "../../emulators/kernel/probe.ts";
import { readSettings } from "../../emulators/kernel/settings.ts";
import { temporaryFolder } from "../support/command.ts";
import { startExample } from "../support/example.ts";
import { python3, testWith } from "../support/tools.ts";

const readme = readFileSync(join(packageRoot(), "README.md"), "utf8");
const secret = `whsec_${Buffer.from("a secret of twenty-four b").toString("base64")}`;

function block(language: string, name: string): string {
  const sign = language === "python" ? "#" : "//";
  const found = new RegExp(`\`\`\`${language}\\n(${sign} ${name.replace(".", "\\.")}\\n[\\s\\S]*?)\`\`\``).exec(
    readme,
  )?.[1];
  if (found === undefined) throw new Error(`the README has no ${name}`);
  return found;
}

/** Its port, which is the last number of the first line it prints. */
function portOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      const port = /(\d{4,5})\D*\n/.exec(said)?.[1];
      if (port !== undefined) resolve(port);
    });
    child.on("exit", (code) => reject(new Error(`the receiver ended with ${code}`)));
  });
}

const receivers = [
  {
    language: "ts",
    name: "receiver.ts",
    tool: { ...python3, name: "Node", package: "nodejs", commands: [process.execPath] },
    flags: ["--import", "tsx"],
  },
  { language: "python", name: "receiver.py", tool: python3, flags: ["-u"] },
] as const;

for (const { language, name, tool, flags } of receivers)
  testWith(tool, name, (command) => judged(language, name, [command, ...flags]));

async function judged(language: string, name: string, [command = "", ...args]: readonly string[]): Promise<void> {
  const file = join(temporaryFolder(), name.replace(".ts", ".mts"));
  writeFileSync(file, block(language, name));
  const child = spawn(command, [...args, file], {
    cwd: packageRoot(),
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: "0", WEBHOOK_SECRET: secret },
    stdio: ["ignore", "pipe", "ignore"],
  });
  onTestFinished(() => void child.kill());
  const url = `http://127.0.0.1:${await portOf(child)}/hooks`;
  const { call } = await startExample();
  const probe = await call("POST", "/_backlot/webhooks/probe", { url, secret, exactStatus: true });
  const report = probe.body as ProbeReport;
  expect(report.results.filter((row) => !row.passed)).toEqual([]);
  expect(report).toMatchObject({ passed: true, summary: { cases: 15, failed: 0, advisories: 0 } });
}

test("the README's bodies are ones that the control API takes", async () => {
  const { call } = await startExample();
  const bodies = [...readme.matchAll(/_backlot\/(faults|webhooks\/endpoints) -d '(\{.*\})'/g)];
  expect(bodies.map(([, path]) => path)).toEqual(["webhooks/endpoints", "faults"]);
  for (const [, path, text = "{}"] of bodies) {
    const { emulator: _, ...body } = JSON.parse(text) as Record<string, unknown>;
    expect(await call("POST", `/_backlot/${path}`, body)).toMatchObject({ status: 201 });
  }
  expect((await call("POST", "/_backlot/snapshots", { name: "calm" })).status).toBe(201);
  expect((await call("PUT", "/_backlot/limits", { limit: "10/minute" })).status).toBe(200);
  const attach = /BACKLOT_ATTACH=(\S+)/.exec(readme.slice(readme.indexOf("## In containers")))?.[1];
  expect(readSettings([{ BACKLOT_ATTACH: attach }]).problems).toEqual([]);
});
