/** What the gateway costs, and that it loses nothing under load. Figures are printed. */
import { existsSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { freePorts, start, temporaryFolder } from "../support/command.ts";
import { openTunnel, secure } from "../support/through-proxy.ts";

let suite: Suite;
beforeAll(async () => {
  suite = await createSuite({
    only: ["twilio"],
    environment: { BACKLOT_LOG_LEVEL: "silent", BACKLOT_JOURNAL_SIZE: "1000" },
  });
});
afterAll(() => suite.close());

const host = "api.twilio.com";
const target = () => `/2010-04-01/Accounts/${suite.env.TWILIO_ACCOUNT_SID}/Messages.json?PageSize=1`;
const headers = () => ({
  authorization: `Basic ${btoa(`${suite.env.TWILIO_ACCOUNT_SID}:${suite.env.TWILIO_AUTH_TOKEN}`)}`,
});

async function tunnel(): Promise<TLSSocket> {
  const { socket } = await openTunnel(suite.services.gateway?.proxyUrl ?? "", `${host}:443`);
  return secure(socket, host, suite.certificates().caPem);
}

/** One request over an agent that holds one connection; resolves with its status when the body is read. */
function viaAgent(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, port, host: "127.0.0.1", path: target(), headers: headers() }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}

async function median(times: number, once: () => Promise<number>): Promise<number> {
  const took: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const started = performance.now();
    expect(await once()).toBe(200);
    took.push(performance.now() - started);
  }
  return took.sort((left, right) => left - right)[times >> 1] ?? 0;
}

/** An agent whose only connection is one that is open already. */
function agentOver(socket: Socket): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  return agent;
}

// A busy machine may spoil a run, never better one.
test("through CONNECT and TLS with keep-alive: at most twice the direct median", { retry: 2 }, async () => {
  const port = Number(new URL(suite.services.twilio?.url ?? "").port);
  const direct = new Agent({ keepAlive: true, maxSockets: 1 });
  const through = agentOver(await tunnel());
  const rounds: { direct: number; through: number }[] = [];
  await median(300, () => viaAgent(direct, port));
  await median(300, () => viaAgent(through, port));
  // Turn by turn, so that what else the machine does falls on both.
  for (let round = 0; round < 5; round += 1)
    rounds.push({
      direct: await median(400, () => viaAgent(direct, port)),
      through: await median(400, () => viaAgent(through, port)),
    });
  const ratios = rounds.map((round) => round.through / round.direct).sort((left, right) => left - right);
  const ratio = ratios[2] ?? Number.POSITIVE_INFINITY;
  process.stdout.write(
    `gateway: ${rounds.map((round) => `${round.direct.toFixed(3)} ms direct, ${round.through.toFixed(3)} ms through`).join("; ")}; ratio ${ratio.toFixed(2)}\n`,
  );
  direct.destroy();
  through.destroy();
  expect(ratio).toBeLessThanOrEqual(2);
});

/** Resident memory of a process in MiB, where Linux tells it. */
function resident(pid: number | undefined): number | undefined {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return undefined;
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(status, "utf8"))?.[1]) / 1024;
}

/**
 * Left alone, V8 puts off collecting and lets the process grow to some 280 MiB in the first 20,000 requests, by whatever way
 * they come, although no more than 20 MiB of its heap are alive. A heap that cannot grow shows what is really held.
 */
const smallHeap = { NODE_OPTIONS: "--max-old-space-size=64 --max-semi-space-size=2" };

test("500 tunnels at once, 20,000 requests: none lost, memory flat", async () => {
  const ca = temporaryFolder();
  const quiet = { BACKLOT_LOG_LEVEL: "silent", BACKLOT_JOURNAL_SIZE: "1000" };
  const environment = { ...freePorts, ...smallHeap, ...quiet, BACKLOT_CA_DIR: ca };
  const apart = start(["up", "--json", "--only", "twilio"], { env: environment });
  const { services } = JSON.parse(await apart.line());
  const pem = readFileSync(join(ca, "ca.pem"), "utf8");
  const count = 500;
  const sockets: TLSSocket[] = [];
  const open = async () => secure((await openTunnel(services.gateway.proxyUrl, `${host}:443`)).socket, host, pem);
  for (let opened = 0; opened < count; opened += 50)
    sockets.push(...(await Promise.all(Array.from({ length: 50 }, open))));
  const agents = sockets.map(agentOver);
  const memory: (number | undefined)[] = [];
  const [warmUp, rounds] = [10, 40];
  let answered = 0;
  for (let round = 0; round < rounds; round += 1) {
    const statuses = await Promise.all(agents.map((agent) => viaAgent(agent, 443)));
    answered += statuses.filter((status) => status === 200).length;
    if (round % 5 === 4) memory.push(resident(apart.child.pid));
  }
  process.stdout.write(
    `gateway: ${answered} of ${count * rounds} answered over ${count} tunnels; MiB after each 2,500: ${memory.map((mib) => mib?.toFixed(0) ?? "?").join(", ")}\n`,
  );
  expect(answered).toBe(count * rounds);
  expect((memory.at(-1) ?? 0) - (memory[warmUp / 5 - 1] ?? 0)).toBeLessThan(16);
  for (const agent of agents) agent.destroy();
  for (const socket of sockets) socket.destroy();
  apart.child.kill("SIGTERM");
  expect(await apart.finished).toMatchObject({ code: 0 });
});
