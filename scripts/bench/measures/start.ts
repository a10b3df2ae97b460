/** How long it takes to be there and to be gone, and how much memory it takes to be idle. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  backlotCommand,
  npmStartCommand,
  type RunningBacklot,
  type Services,
  serviceNames,
  startBacklot,
} from "../backlot.ts";
import { backlot, bareHttp } from "../metrics.ts";
import { type Command, residentMegabytes, type ServerProcess, startServer } from "../server-process.ts";
import type { Bench, Measure } from "./measure.ts";

const bareCommand: Command = {
  file: process.execPath,
  args: [
    "-e",
    `const server = require("node:http").createServer((_, response) => response.end("ok"));
     server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));`,
  ],
};

export const start: Measure = { name: "start", round };

async function round({ readings }: Bench): Promise<void> {
  const observe = async (subject: string, server: ServerProcess, services: Services) => {
    await allAnswer(services);
    readings.add("start", subject, performance.now() - server.spawnedAt);
    await sleep(1_000);
    const megabytes = residentMegabytes(server.pid);
    if (megabytes !== undefined) readings.add("memory", subject, megabytes);
    readings.add("stop", subject, await server.stop());
  };
  const observeBacklot = async (subject: string, command: Command) => {
    const server: RunningBacklot = await startBacklot(command);
    await observe(subject, server, server.services);
  };
  readings.add("start", "node -e 0 (to exit)", await emptyProcess());
  const bare = await startServer(bareCommand);
  const { port } = JSON.parse(bare.readyLine) as { port: number };
  await observe(bareHttp, bare, { suite: { url: `http://127.0.0.1:${port}` } });
  await observeBacklot(`${backlot}, all four`, backlotCommand());
  for (const name of serviceNames) await observeBacklot(`${backlot}, only ${name}`, backlotCommand(name));

  // The memory of `npm start` is that of npm, and its stop includes npm's: neither says anything about Backlot.
  for (const [subject, command] of [
    ["npm start", npmStartCommand()],
    ["all four, no compile cache", backlotCommand(undefined, { NODE_DISABLE_COMPILE_CACHE: "1" })],
  ] as const) {
    const server = await startBacklot(command);
    await allAnswer(server.services);
    readings.add("start", subject, performance.now() - server.spawnedAt);
    await server.stop();
  }
}

async function emptyProcess(): Promise<number> {
  const startedAt = performance.now();
  await once(spawn(process.execPath, ["-e", "0"]), "exit");
  return performance.now() - startedAt;
}

async function allAnswer(services: Services): Promise<void> {
  const azure = services["azure-policyinsights"];
  const urls = [
    services.suite?.url,
    services.twilio?.url,
    azure?.httpUrl,
    services["ec2-spot"]?.url,
    services.smtp?.url,
  ];
  const answers = urls.flatMap((url) => (url === undefined ? [] : [answersHttp(`${url}/_backlot/live`)]));
  if (services.smtp) answers.push(greetsSmtp(services.smtp.port));
  await Promise.all(answers);
}

function answersHttp(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${url} answered ${response.statusCode}`));
    }).once("error", reject);
  });
}

function greetsSmtp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("error", reject);
    socket.once("data", (greeting) => {
      socket.end("QUIT\r\n");
      if (greeting.toString().startsWith("220")) resolve();
      else reject(new Error(`the mail server greeted with ${greeting}`));
    });
  });
}
