/**
 * `kill -9` in a storm of mail, twenty times: what was answered 250 is there after the restart, once; what had to be told
 * about it is told, and has one record each.
 */
import { expect, test } from "vitest";
import { afterReal } from "../../emulators/kernel/clock.ts";
import { temporaryFolder } from "../support/command.ts";
import { startReceiver } from "../support/receiver.ts";
import { startMailProcess } from "./mail-process.ts";
import { queuedId, rawClient } from "./raw-client.ts";

const senders = 6;
type Server = Awaited<ReturnType<typeof startMailProcess>>;

/** Sends until the server is gone; answers with the ids of what was accepted. */
async function storm(server: Server, run: number, sender: number, accepted: (id: string) => void): Promise<void> {
  try {
    const client = await rawClient(server.port);
    // One in five is larger than a piece of the store, so that kills also meet half-written pieces.
    for (let n = 0; ; n += 1) {
      const filling = "y"
        .repeat(70)
        .concat("\r\n")
        .repeat(n % 5 === 4 ? 6_000 : 20);
      const content = `Subject: run ${run} sender ${sender} mail ${n}\r\n\r\n${filling}`;
      accepted(queuedId(await client.mail("ann@example.com", [`bob${n}@example.org`], content)));
    }
  } catch {
    // The end of every session here: the server was killed.
  }
}

interface Listed {
  readonly messages: readonly { readonly id: string; readonly truncated: boolean }[];
}

interface Told {
  readonly type: string;
  readonly data: { readonly messageId: string };
}

test.each(Array.from({ length: 20 }, (_, n) => n + 1))("run %i", { timeout: 60_000 }, async (run) => {
  const receiver = await startReceiver();
  const folder = temporaryFolder();
  const environment = { BACKLOT_DATA_DIR: folder, BACKLOT_PACE: "0.05", BACKLOT_WEBHOOK_KEEP: "100000" };
  const first = await startMailProcess(environment);
  const endpoint = { url: receiver.url, events: ["email.*"], schedule: "short" };
  await fetch(`${first.url}/_backlot/webhooks/endpoints`, { method: "POST", body: JSON.stringify(endpoint) });
  const accepted: string[] = [];
  const sending = Array.from({ length: senders }, (_, sender) => storm(first, run, sender, (id) => accepted.push(id)));
  await expect.poll(() => accepted.length, { timeout: 20_000 }).toBeGreaterThan(60);
  // A different instant of the storm in each run.
  await new Promise<void>((resolve) => void afterReal(run * 13, resolve, true));
  await first.stop("SIGKILL");
  await Promise.all(sending);

  const second = await startMailProcess(environment);
  const { messages } = (await (await fetch(`${second.url}/_backlot/smtp/messages?limit=1000`)).json()) as Listed;
  expect(messages.length).toBeLessThan(1_000);
  const whole = messages.filter(({ truncated }) => !truncated).map(({ id }) => id);
  expect(accepted.filter((id) => !whole.includes(id))).toEqual([]);
  expect(new Set(whole).size).toBe(whole.length);

  const wanted = whole.flatMap((id) => [`email.accepted ${id}`, `email.delivered ${id}`]).sort();
  const told = () => receiver.calls.map(({ body }) => JSON.parse(body) as Told);
  const seen = () => new Set(told().map(({ type, data }) => `${type} ${data.messageId}`));
  await expect.poll(() => [...seen()].sort(), { timeout: 30_000 }).toEqual(wanted);
  // Sent twice where the kill came between sending and recording, but always under the same id: one record each.
  const ids = new Map(
    receiver.calls.map(({ headers, body }) => {
      const { type, data } = JSON.parse(body) as Told;
      return [String(headers["webhook-id"]), `${type} ${data.messageId}`];
    }),
  );
  expect([...ids.values()].sort()).toEqual(wanted);
  await expect
    .poll(async () => {
      const page = await (await fetch(`${second.url}/_backlot/webhooks/deliveries?state=waiting&limit=1`)).json();
      return (page as { deliveries: unknown[] }).deliveries.length;
    })
    .toBe(0);
  expect(await second.stop()).toBe(0);
  await receiver.close();
});
