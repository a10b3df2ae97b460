import { backlotCommand, startBacklot } from "../backlot.ts";
import { backlot, metrics } from "../metrics.ts";
import { quiet, script, startServer } from "../server-process.ts";
import { type Bench, type Measure, timed } from "./measure.ts";

const connections = 8;
const [small, large] = [2_000, 100_000];

export const smtp: Measure = { name: "smtp", round };

async function round({ generators, readings, options }: Bench): Promise<void> {
  const floor = await startServer(script("floors/discarding-smtp.ts"));
  const server = await startBacklot(backlotCommand());
  const subjects = [
    { name: metrics.mail.floor, port: (JSON.parse(floor.readyLine) as { port: number }).port },
    { name: backlot, port: server.services.smtp?.port ?? 0 },
  ];
  const plan = timed(options.seconds);
  let taken = 0;
  const loads = [
    ["mail", (port: number) => generators.smtp.run({ ...plan, port, connections, size: small })],
    ["unpooled", (port: number) => generators.nodemailer.run({ ...plan, port, connections: 1, size: small })],
    ["bigMail", (port: number) => generators.smtp.run({ ...plan, port, connections, size: large })],
  ] as const;
  for (const [name, run] of loads)
    for (const { name: subject, port } of subjects) {
      const { perSecond, count } = await run(port);
      readings.add(name, subject, perSecond);
      if (subject === backlot) taken += count;
      await quiet(server.pid);
    }
  const kept = await mailboxSize(server.services.smtp?.url ?? "");
  if (kept < taken) throw new Error(`the mailbox has ${kept} mails of the ${taken} it took`);
  await floor.stop();
  await server.stop();
}

async function mailboxSize(url: string): Promise<number> {
  const response = await fetch(`${url}/api/v2/messages?limit=1`);
  return ((await response.json()) as { total: number }).total;
}
