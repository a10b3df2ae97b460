/**
 * Others that do the same, side by side: emulate (Twilio) and maildev (SMTP). Installed into the system's temporary folder,
 * never into the repository. Loads are counted, not timed, because emulate refuses after 4,999 requests an hour.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backlotCommand, startBacklot } from "./backlot.ts";
import { type Bench, counted, type Measure } from "./measures/measure.ts";
import { backlotSubject } from "./measures/twilio.ts";
import { fill, loadTwilio, type TwilioLoad, type TwilioSubject, twilioLoads } from "./measures/twilio-load.ts";
import { backlot, metrics } from "./metrics.ts";
import { type ServerProcess, startServer } from "./server-process.ts";

const folder = join(tmpdir(), "backlot-bench-peers");
const versions = { emulate: "0.12.2", maildev: "2.2.1" };
const metricNames = { create: "peerCreate", fetch: "peerFetch", list: "peerList", listAgain: "peerListAgain" } as const;
/** Each load on fresh processes and as long as emulate lets it be: it refuses from its 5,000th request on. */
const plan = counted(2_400, 2_400);
/** What a list is taken from: an application under test has more messages than one page. */
const stored = 3_800;
const listPlan = counted(300, 800);
const mails = counted(300, 3_000);
/** A fifth of a second and more, as a start still loads pages and prices within its first second. */
const bigMails = counted(200, 1_000);
/** Enough for the client to be warm: 15 mails of a cold one took from 27 to 55 ms here, and MailDev's 100 ms each time. */
const unpooled = counted(25, 50);

export function createPeers(): Measure {
  install();
  return { name: "peers", round };
}

function install(): void {
  if (Object.keys(versions).every((name) => existsSync(join(folder, "node_modules", name, "package.json")))) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: versions }));
  const { status } = spawnSync("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`npm install in ${folder} failed`);
}

async function round(bench: Bench): Promise<void> {
  for (const load of twilioLoads) await messagesRound(bench, load);
  await mailRound(bench);
}

async function messagesRound(bench: Bench, load: TwilioLoad): Promise<void> {
  const port = await freePort();
  const emulate = await startPeer("emulate", ["start", "--service", "twilio", "--port", `${port}`], "Ready.");
  const server = await startBacklot(backlotCommand());
  const own = backlotSubject(server.pid, server.services.twilio?.url ?? "", await server.environment());
  const subjects = [emulateSubject(emulate.pid, port), own];
  const lists = load === "list" || load === "listAgain";
  if (load !== "create") for (const subject of subjects) await fill(bench, subject, lists ? stored : undefined);
  await loadTwilio(bench, subjects, metricNames, lists ? listPlan : plan, [load]);
  for (const started of [emulate, server]) await started.stop();
}

async function mailRound(bench: Bench): Promise<void> {
  const ports = [await freePort(), await freePort()] as const;
  const mailArguments = ["--ip", "127.0.0.1", "--smtp", `${ports[0]}`, "--web", `${ports[1]}`];
  const maildev = await startPeer("maildev", mailArguments, "SMTP Server running");
  const server = await startBacklot(backlotCommand());
  const mailSubjects = [
    [metrics.peerMail.floor, ports[0]],
    [backlot, server.services.smtp?.port ?? 0],
  ] as const;
  for (const [subject, port] of mailSubjects) {
    const { perSecond } = await bench.generators.smtp.run({ ...mails, port, connections: 8, size: 2_000 });
    bench.readings.add("peerMail", subject, perSecond);
  }
  for (const [subject, port] of mailSubjects) {
    const { perSecond } = await bench.generators.smtp.run({ ...bigMails, port, connections: 8, size: 100_000 });
    bench.readings.add("peerBigMail", subject, perSecond);
  }
  for (const [subject, port] of mailSubjects) {
    const { perSecond } = await bench.generators.nodemailer.run({ ...unpooled, port, connections: 1, size: 2_000 });
    bench.readings.add("peerUnpooled", subject, perSecond);
  }
  for (const started of [maildev, server]) await started.stop();
}

function startPeer(name: keyof typeof versions, args: readonly string[], readyText: string): Promise<ServerProcess> {
  const file = join(folder, "node_modules", ".bin", name);
  return startServer({
    file: process.execPath,
    args: [file, ...args],
    folder,
    ready: (line) => line.includes(readyText),
  });
}

/** With the credentials of its README. */
function emulateSubject(pid: number, port: number): TwilioSubject {
  const [accountSid, authToken] = [`AC${"0".repeat(32)}`, "twilio_test_auth_token"];
  const url = `http://127.0.0.1:${port}`;
  return { name: metrics.peerCreate.floor, pid, url, accountSid, authToken, from: "+15551234567", keeps: true };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === "object" ? address.port : 0));
    });
  });
}
