import { backlotCommand, startBacklot } from "../backlot.ts";
import { accountSid, authToken } from "../floors/account.ts";
import { backlot, bareHttp, metrics } from "../metrics.ts";
import { type ServerProcess, script, startServer } from "../server-process.ts";
import { type Bench, type Measure, timed } from "./measure.ts";
import { loadTwilio, type TwilioSubject } from "./twilio-load.ts";

const floors = [
  { name: bareHttp, file: "floors/bare-http.ts", keeps: false },
  { name: "bare Hono", file: "floors/bare-hono.ts", keeps: false },
  { name: metrics.create.floor, file: "floors/twilio-floor.ts", keeps: true },
];

export const twilio: Measure = { name: "twilio", round };

async function round(bench: Bench): Promise<void> {
  const servers: ServerProcess[] = [];
  const subjects: TwilioSubject[] = [];
  for (const { name, file, keeps } of floors) {
    const server = await startServer(script(file));
    const { port } = JSON.parse(server.readyLine) as { port: number };
    const url = `http://127.0.0.1:${port}`;
    subjects.push({ name, pid: server.pid, url, accountSid, authToken, from: "+15005550006", keeps });
    servers.push(server);
  }
  const server = await startBacklot(backlotCommand());
  subjects.push(backlotSubject(server.pid, server.services.twilio?.url ?? "", await server.environment()));
  servers.push(server);
  const metricNames = { create: "create", fetch: "fetch", list: "list", listAgain: "listAgain" } as const;
  await loadTwilio(bench, subjects, metricNames, timed(bench.options.seconds));
  for (const started of servers) await started.stop();
}

export function backlotSubject(pid: number, url: string, environment: Readonly<Record<string, string>>): TwilioSubject {
  const { TWILIO_ACCOUNT_SID = "", TWILIO_AUTH_TOKEN = "", TWILIO_PHONE_NUMBER = "" } = environment;
  return {
    name: backlot,
    pid,
    url,
    accountSid: TWILIO_ACCOUNT_SID,
    authToken: TWILIO_AUTH_TOKEN,
    from: TWILIO_PHONE_NUMBER,
    keeps: true,
  };
}
