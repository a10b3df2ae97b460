// Types, lint and format, dead code, duplicates: all of them, and every failure is shown before the exit code says so.
import { spawn } from "node:child_process";

const steps = [
  ["types", "tsc", ["-p", "."]],
  ["types of the console", "tsc", ["-p", "emulators/suite/console/ui"]],
  ["lint and format", "biome", ["check", "--error-on-warnings", "."]],
  ["dead code", "knip", []],
  ["generated files", "tsx", ["scripts/generate/main.ts", "--check"]],
];

const run = ([name, command, args]) =>
  new Promise((resolve) => {
    const started = performance.now();
    const chunks = [];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], shell: false });
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.stderr.on("data", (chunk) => chunks.push(chunk));
    child.on("error", (cause) => resolve({ name, code: 1, output: String(cause), ms: 0 }));
    child.on("close", (code) =>
      resolve({ name, code, output: Buffer.concat(chunks).toString(), ms: performance.now() - started }),
    );
  });

const results = await Promise.all(steps.map(run));
for (const { name, code, output, ms } of results) {
  if (code !== 0) process.stdout.write(`${output}\n`);
  process.stdout.write(`${code === 0 ? "ok    " : "FAILED"} ${name} (${(ms / 1000).toFixed(1)} s)\n`);
}
process.exitCode = results.some(({ code }) => code !== 0) ? 1 : 0;
