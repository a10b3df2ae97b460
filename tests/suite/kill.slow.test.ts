/** `kill -9` under load: what was acknowledged is there after the restart. */
import nodemailer from "nodemailer";
import { expect, test } from "vitest";
import { freePorts, start, temporaryFolder } from "../support/command.ts";

interface Ready {
  readonly services: {
    readonly twilio: { readonly url: string };
    readonly smtp: { readonly host: string; readonly port: number; readonly url: string };
    readonly suite: { readonly url: string };
  };
}

async function up(
  data: string,
): Promise<{ ready: Ready; env: Record<string, string>; kill(signal: NodeJS.Signals): Promise<unknown> }> {
  const backlot = start(["up", "--json", "--data", data], { env: { ...freePorts, BACKLOT_LOG_LEVEL: "error" } });
  const ready = JSON.parse(await backlot.line()) as Ready;
  const { environment } = (await (await fetch(`${ready.services.suite.url}/_backlot/env`)).json()) as {
    environment: Record<string, string>;
  };
  return {
    ready,
    env: environment,
    kill(signal) {
      backlot.child.kill(signal);
      return backlot.finished;
    },
  };
}

test.each([1, 2, 3, 4, 5])("run %i", async (run) => {
  const data = temporaryFolder();
  const first = await up(data);
  const account = `${first.ready.services.twilio.url}/2010-04-01/Accounts/${first.env.TWILIO_ACCOUNT_SID}`;
  const headers = { authorization: `Basic ${btoa(`${first.env.TWILIO_ACCOUNT_SID}:${first.env.TWILIO_AUTH_TOKEN}`)}` };
  const { host, port } = first.ready.services.smtp;
  const transport = nodemailer.createTransport({
    host,
    port,
    pool: true,
    maxConnections: 4,
    maxMessages: Number.POSITIVE_INFINITY,
  });
  const sids: string[] = [];
  const mails: string[] = [];
  let killed = false;

  const texts = Array.from({ length: 8 }, async (_, worker) => {
    for (let n = 0; !killed; n += 1) {
      const body = new URLSearchParams({
        To: "+12025550199",
        From: first.env.TWILIO_PHONE_NUMBER ?? "",
        Body: `run ${run} worker ${worker} message ${n}`,
      });
      const answer = await fetch(`${account}/Messages.json`, { method: "POST", headers, body }).then(
        (response) => (response.status === 201 ? (response.json() as Promise<{ sid: string }>) : undefined),
        () => undefined,
      );
      if (answer) sids.push(answer.sid);
    }
  });
  const letters = Array.from({ length: 4 }, async (_, worker) => {
    for (let n = 0; !killed; n += 1) {
      const subject = `run ${run} worker ${worker} mail ${n}`;
      const accepted = await transport
        .sendMail({ from: "a@example.test", to: "b@example.test", subject, text: "x".repeat(2_000) })
        .then(
          () => true,
          () => false,
        );
      if (accepted) mails.push(subject);
    }
  });
  while (sids.length < 300 || mails.length < 50) await new Promise((resolve) => setTimeout(resolve, 10));
  const dying = first.kill("SIGKILL");
  await dying;
  killed = true;
  transport.close();
  await Promise.all([...texts, ...letters]);

  const second = await up(data);
  const again = `${second.ready.services.twilio.url}/2010-04-01/Accounts/${second.env.TWILIO_ACCOUNT_SID}`;
  const lost: string[] = [];
  for (const sid of sids)
    if ((await fetch(`${again}/Messages/${sid}.json`, { headers })).status !== 200) lost.push(sid);
  expect(lost).toEqual([]);
  const stored = new Set<string>();
  for (let at = 0, total = 1; at < total; at += 250) {
    const page = (await (
      await fetch(`${second.ready.services.smtp.url}/api/v2/messages?start=${at}&limit=250`)
    ).json()) as { total: number; items: { Content: { Headers: Record<string, string[]> } }[] };
    total = page.total;
    for (const item of page.items) stored.add(item.Content.Headers.Subject?.[0] ?? "");
  }
  expect(mails.filter((subject) => !stored.has(subject))).toEqual([]);
  expect(sids.length).toBeGreaterThanOrEqual(300);
  expect(await second.kill("SIGTERM")).toMatchObject({ code: 0 });
});
