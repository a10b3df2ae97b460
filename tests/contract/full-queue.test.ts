/** A full webhook queue as the official clients meet it: an error of the provider's own, and nothing half-done. */
import { DescribeImagesCommand, DescribeInstancesCommand, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { createTransport } from "nodemailer";
import { expect, onTestFinished, test } from "vitest";
import { mailServer } from "../smtp/mail-server.ts";
import { startEc2 } from "./ec2-start.ts";
import { start, twilioServer } from "./twilio-client.ts";

const nobody = "http://127.0.0.1:9/hook";
const small = { BACKLOT_WEBHOOK_QUEUE: "1" };

async function register(url: string, events: string): Promise<void> {
  const answer = await fetch(`${url}/_backlot/webhooks/endpoints`, {
    method: "POST",
    body: JSON.stringify({ url: nobody, events: [events] }),
  });
  expect(answer.status).toBe(201);
}

const journalled = async (url: string, kind: string) =>
  ((await (await fetch(`${url}/_backlot/journal?kind=${kind}`)).json()) as { entries: readonly unknown[] }).entries;

test("Twilio: a message or call that would call back is refused with 503, others are taken", async () => {
  const server = await twilioServer(small);
  onTestFinished(() => server.close());
  const client = server.client();
  const message = { to: "+14155550199", from: server.env.TWILIO_PHONE_NUMBER ?? "", statusCallback: nobody };
  await register(server.url, "message.sent");
  await client.messages.create({ ...message, body: "one" });
  // Its being sent is told to nobody who listens: that is the one delivery that may wait.
  await server.advance(start + 5_000);
  const full = { status: 503, code: 20503, message: expect.stringContaining("BACKLOT_WEBHOOK_QUEUE") };
  await expect(client.messages.create({ ...message, body: "two" })).rejects.toMatchObject(full);
  await expect(client.calls.create({ ...message, twiml: "<Response/>" })).rejects.toMatchObject(full);
  expect(await client.messages.list({ to: message.to })).toHaveLength(1);
  expect((await client.messages.create({ to: message.to, from: message.from, body: "two" })).status).toBe("queued");
  // The first goes on to be delivered although what it tells finds no room.
  await server.advance(start + 60_000);
  expect((await client.messages.list({ to: message.to })).map(({ status }) => status)).toEqual([
    "delivered",
    "delivered",
  ]);
  expect(await journalled(server.url, "incident")).toEqual([]);
});

test("EC2: RunInstances answers Unavailable, and no instance is there", async () => {
  const started = await startEc2(small);
  onTestFinished(() => started.close());
  await register(started.url, "ec2.*");
  const client = started.ec2();
  const Owners = ["amazon"];
  const Filters = [
    { Name: "name", Values: ["al2023-ami-2023*"] },
    { Name: "architecture", Values: ["x86_64"] },
  ];
  const { Images = [] } = await client.send(new DescribeImagesCommand({ Owners, Filters }));
  const one = { ImageId: Images[0]?.ImageId, InstanceType: "t3.micro" as const, MinCount: 1, MaxCount: 1 };
  const run = () => client.send(new RunInstancesCommand(one));
  const instances = async () => (await client.send(new DescribeInstancesCommand({}))).Reservations?.length;
  await run();
  const before = await instances();
  await expect(run()).rejects.toMatchObject({ name: "Unavailable", $metadata: { httpStatusCode: 503 } });
  expect(await instances()).toBe(before);
});

test("SMTP: 452 after DATA, and the mail is not kept", async () => {
  const server = await mailServer(small);
  onTestFinished(() => server.close());
  await register(server.url, "*");
  const transport = createTransport({ host: "127.0.0.1", port: server.port, ignoreTLS: true });
  onTestFinished(() => transport.close());
  const mail = { from: "ann@example.com", to: "bob@example.org", text: "x" };
  await transport.sendMail(mail);
  await expect(transport.sendMail(mail)).rejects.toMatchObject({ responseCode: 452, command: "DATA" });
  expect(await server.json("/api/v1/messages")).toMatchObject({ total: 1 });
});
