/** An interruption, told alike by the metadata service, events, the request's status and the instance. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSpotInstanceRequestsCommand,
  type EC2Client,
  RequestSpotInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import {
  CreateExperimentTemplateCommand,
  DeleteExperimentTemplateCommand,
  FisClient,
  GetExperimentCommand,
  GetExperimentTemplateCommand,
  ListExperimentsCommand,
  ListExperimentTemplatesCommand,
  StartExperimentCommand,
  StopExperimentCommand,
} from "@aws-sdk/client-fis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let receiver: Server;
let told: { type: string; data: Record<string, unknown> }[];
let clients: FisClient[];
beforeEach(async () => {
  started = await startEc2({ BACKLOT_PACE: "1", BACKLOT_IMDS_PORTS: "0" });
  ec2 = started.ec2();
  told = [];
  clients = [];
  receiver = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      told.push(JSON.parse(body));
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await started.close();
  await new Promise((resolve) => receiver.close(resolve));
});

const now = () => started.emulator.runtime.clock.now();
const advance = (seconds: number) => started.emulator.advance(now() + Math.round(seconds * 1000));
const post = (path: string, body: unknown) =>
  fetch(`${started.url}/_backlot/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const listen = async (events: readonly string[]) => {
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  expect((await post("webhooks/endpoints", { url, events })).status).toBe(201);
};
const iso = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`;

async function spot(extra: Partial<ConstructorParameters<typeof RequestSpotInstancesCommand>[0]> = {}) {
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  const answer = await ec2.send(
    new RequestSpotInstancesCommand({
      LaunchSpecification: {
        ImageId: Images[0]?.ImageId,
        InstanceType: "m5.large",
        Placement: { AvailabilityZone: "us-east-1b" },
        UserData: Buffer.from("#!/bin/sh\necho hello").toString("base64"),
        IamInstanceProfile: { Name: "backlot-spot-switcher" },
      },
      ...extra,
    }),
  );
  const request = answer.SpotInstanceRequests?.[0]?.SpotInstanceRequestId ?? "";
  await advance(30);
  const instance = (await requestOf(request))?.InstanceId ?? "";
  return { request, instance };
}
async function requestOf(id: string) {
  const answer = await ec2.send(new DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [id] }));
  return answer.SpotInstanceRequests?.[0];
}
async function instanceOf(id: string) {
  const answer = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
  return answer.Reservations?.[0]?.Instances?.[0];
}
const metadata = (instance: string, path: string) =>
  fetch(`${started.imds}/latest/meta-data/${path}`, { headers: { "x-backlot-instance": instance } });

test("by the control API: recommendation, notice with a fixed time, events, the end at the deadline", async () => {
  await listen(["ec2.spot_interruption_warning", "ec2.rebalance_recommendation", "ec2.instance_state_change"]);
  const { request, instance } = await spot();
  expect((await metadata(instance, "spot/instance-action")).status).toBe(404);
  expect((await metadata(instance, "spot")).status).toBe(404);
  const deadline = iso(now() + 120_000);
  const ordered = await post("ec2-spot/interrupt", { instance });
  expect(ordered.status).toBe(202);
  expect(await ordered.json()).toEqual({ instance, noticeAt: iso(now()), deadline });
  const notice = async () => JSON.parse(await (await metadata(instance, "spot/instance-action")).text());
  expect(await notice()).toEqual({ action: "terminate", time: deadline });
  expect(await (await metadata(instance, "spot/termination-time")).text()).toBe(deadline);
  expect(await (await metadata(instance, "events/recommendations/rebalance")).json()).toEqual({
    noticeTime: iso(now()),
  });
  expect(await requestOf(request)).toMatchObject({ State: "active", Status: { Code: "marked-for-termination" } });
  await advance(60);
  expect(await notice()).toEqual({ action: "terminate", time: deadline });
  expect((await instanceOf(instance))?.State?.Name).toBe("running");
  expect((await post("ec2-spot/interrupt", { instance })).status).toBe(409);
  await advance(60);
  expect(await instanceOf(instance)).toMatchObject({
    State: { Name: "shutting-down" },
    StateReason: { Code: "Server.SpotInstanceTermination" },
  });
  expect(await requestOf(request)).toMatchObject({
    State: "closed",
    Status: {
      Code: "instance-terminated-no-capacity",
      Message:
        "Your Spot instance was terminated because there is no Spot capacity available that matches your request.",
    },
  });
  await advance(60);
  expect((await instanceOf(instance))?.State?.Name).toBe("terminated");
  expect((await metadata(instance, "instance-id")).status).toBe(404);
  const warning = told.find(({ type }) => type === "ec2.spot_interruption_warning");
  expect(warning?.data).toMatchObject({
    version: "0",
    "detail-type": "EC2 Spot Instance Interruption Warning",
    source: "aws.ec2",
    account: "111122223333",
    region: "us-east-1",
    resources: [`arn:aws:ec2:us-east-1b:instance/${instance}`],
    detail: { "instance-id": instance, "instance-action": "terminate" },
  });
  expect(told.map(({ data }) => [data["detail-type"], (data.detail as { state?: string }).state])).toEqual([
    ["EC2 Instance State-change Notification", "pending"],
    ["EC2 Instance State-change Notification", "running"],
    ["EC2 Instance Rebalance Recommendation", undefined],
    ["EC2 Spot Instance Interruption Warning", undefined],
    ["EC2 Instance State-change Notification", "shutting-down"],
    ["EC2 Instance State-change Notification", "terminated"],
  ]);
});

test("a persistent request that stops its instance gets it back; one that terminates gets another", async () => {
  const stopping = await spot({ Type: "persistent", InstanceInterruptionBehavior: "stop" });
  await post("ec2-spot/interrupt", { instance: stopping.instance });
  expect(await (await metadata(stopping.instance, "spot/instance-action")).json()).toMatchObject({ action: "stop" });
  await advance(121);
  expect((await instanceOf(stopping.instance))?.State?.Name).toBe("stopping");
  expect(await requestOf(stopping.request)).toMatchObject({
    State: "disabled",
    Status: { Code: "instance-stopped-no-capacity" },
  });
  await advance(2 * 86_400);
  expect(await requestOf(stopping.request)).toMatchObject({ State: "active", Status: { Code: "fulfilled" } });
  expect((await instanceOf(stopping.instance))?.State?.Name).toBe("running");
  expect((await metadata(stopping.instance, "spot/instance-action")).status).toBe(404);
  const again = await spot({ Type: "persistent" });
  await post("ec2-spot/interrupt", { instance: again.instance, noticeSeconds: 0, rebalance: false });
  await advance(10);
  const next = await requestOf(again.request);
  expect(next).toMatchObject({ State: "active", Status: { Code: "fulfilled" } });
  expect(next?.InstanceId).not.toBe(again.instance);
});

test("hibernation begins with the notice", async () => {
  const { request, instance } = await spot({ Type: "persistent", InstanceInterruptionBehavior: "hibernate" });
  await post("ec2-spot/interrupt", { instance });
  expect(await (await metadata(instance, "spot/instance-action")).json()).toEqual({
    action: "hibernate",
    time: iso(now()),
  });
  expect((await metadata(instance, "spot/termination-time")).status).toBe(404);
  expect((await instanceOf(instance))?.State?.Name).toBe("stopping");
  expect((await requestOf(request))?.State).toBe("disabled");
});

test("what cannot be interrupted says why", async () => {
  expect((await post("ec2-spot/interrupt", { instance: "i-0" })).status).toBe(400);
  expect((await post("ec2-spot/interrupt", { instance: `i-${"0".repeat(17)}` })).status).toBe(404);
  const { instance } = await spot();
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [instance] }));
  const refused = await post("ec2-spot/interrupt", { instance });
  expect(refused.status).toBe(409);
  expect(await refused.json()).toMatchObject({ message: `${instance} cannot be interrupted: it is shutting-down.` });
});

test("an instance reads itself by header, by path and by its own port", async () => {
  const one = await spot();
  const two = await spot();
  const list = (await (await fetch(`${started.url}/_backlot/ec2-spot/instances`)).json()) as {
    instances: { id: string; metadataPort: number }[];
  };
  const port = list.instances.find(({ id }) => id === one.instance)?.metadataPort;
  expect(port).toBeGreaterThan(0);
  const read = async (url: string) => (await fetch(url)).text();
  expect(await read(`http://127.0.0.1:${port}/latest/meta-data/instance-id`)).toBe(one.instance);
  expect(await read(`${started.imds}/${one.instance}/latest/meta-data/instance-id`)).toBe(one.instance);
  expect(await read(`${started.imds}/latest/meta-data/instance-id`)).toBe(two.instance);
  const tree = await read(`http://127.0.0.1:${port}/latest/meta-data/`);
  expect(tree.split("\n")).toEqual(expect.arrayContaining(["ami-id", "instance-type", "network/", "placement/"]));
  expect(await read(`http://127.0.0.1:${port}/latest/meta-data/placement/`)).toBe(
    "availability-zone\navailability-zone-id\nregion",
  );
  expect(await read(`http://127.0.0.1:${port}/latest/user-data`)).toBe("#!/bin/sh\necho hello");
  const document = JSON.parse(await read(`http://127.0.0.1:${port}/latest/dynamic/instance-identity/document`));
  expect(document).toMatchObject({ instanceId: one.instance, region: "us-east-1", availabilityZone: "us-east-1b" });
  const roles = await read(`http://127.0.0.1:${port}/latest/meta-data/iam/security-credentials/`);
  expect(roles).toBe("backlot-spot-switcher");
  const credentials = JSON.parse(
    await read(`http://127.0.0.1:${port}/latest/meta-data/iam/security-credentials/${roles}`),
  );
  const as = {
    accessKeyId: credentials.AccessKeyId,
    secretAccessKey: credentials.SecretAccessKey,
    sessionToken: credentials.Token,
  };
  const { GetCallerIdentityCommand } = await import("@aws-sdk/client-sts");
  const identity = await started.sts({ credentials: as }).send(new GetCallerIdentityCommand({}));
  expect(identity.Arn).toBe(`arn:aws:sts::111122223333:assumed-role/backlot-spot-switcher/${one.instance}`);
});

test("by an experiment: recommendation at once, notice two minutes before the end", async () => {
  const fis = new FisClient({ endpoint: started.url, region: "us-east-1", credentials: started.user, maxAttempts: 1 });
  clients.push(fis);
  const { request, instance } = await spot();
  const made = await fis.send(
    new CreateExperimentTemplateCommand({
      clientToken: "t",
      description: "interrupt",
      roleArn: started.roleArn,
      stopConditions: [{ source: "none" }],
      targets: {
        these: {
          resourceType: "aws:ec2:spot-instance",
          resourceArns: [`arn:aws:ec2:us-east-1:111122223333:instance/${instance}`],
          selectionMode: "ALL",
        },
      },
      actions: {
        go: {
          actionId: "aws:ec2:send-spot-instance-interruptions",
          parameters: { durationBeforeInterruption: "PT5M" },
          targets: { SpotInstances: "these" },
        },
      },
    }),
  );
  const template = made.experimentTemplate?.id ?? "";
  expect(template).toMatch(/^EXT/);
  expect((await fis.send(new GetExperimentTemplateCommand({ id: template }))).experimentTemplate?.description).toBe(
    "interrupt",
  );
  const start = await fis.send(new StartExperimentCommand({ clientToken: "s", experimentTemplateId: template }));
  const id = start.experiment?.id ?? "";
  const state = async () => (await fis.send(new GetExperimentCommand({ id }))).experiment?.state?.status;
  expect(await state()).toBe("running");
  expect((await metadata(instance, "events/recommendations/rebalance")).status).toBe(200);
  expect((await metadata(instance, "spot/instance-action")).status).toBe(404);
  const deadline = iso(now() + 300_000);
  await advance(180);
  expect(await state()).toBe("completed");
  expect(await (await metadata(instance, "spot/instance-action")).json()).toEqual({
    action: "terminate",
    time: deadline,
  });
  await advance(120);
  expect((await requestOf(request))?.Status?.Code).toBe("instance-terminated-no-capacity");
  const failed = await fis.send(new StartExperimentCommand({ clientToken: "s2", experimentTemplateId: template }));
  const second = await fis.send(new GetExperimentCommand({ id: failed.experiment?.id ?? "" }));
  expect(second.experiment?.state).toMatchObject({
    status: "failed",
    reason: expect.stringContaining("shutting-down"),
  });
  expect((await fis.send(new ListExperimentsCommand({}))).experiments).toHaveLength(2);
  expect((await fis.send(new ListExperimentTemplatesCommand({}))).experimentTemplates).toHaveLength(1);
  await expect(fis.send(new StopExperimentCommand({ id }))).rejects.toMatchObject({ name: "ConflictException" });
  await fis.send(new DeleteExperimentTemplateCommand({ id: template }));
  await expect(fis.send(new GetExperimentTemplateCommand({ id: template }))).rejects.toMatchObject({
    name: "ResourceNotFoundException",
  });
});

test("a stopped experiment spares what has no notice yet", async () => {
  const fis = new FisClient({ endpoint: started.url, region: "us-east-1", credentials: started.user, maxAttempts: 1 });
  clients.push(fis);
  const { instance } = await spot();
  const made = await fis.send(
    new CreateExperimentTemplateCommand({
      clientToken: "t",
      description: "",
      roleArn: started.roleArn,
      stopConditions: [{ source: "none" }],
      targets: {
        these: {
          resourceType: "aws:ec2:spot-instance",
          resourceArns: [`arn:aws:ec2:us-east-1:111122223333:instance/${instance}`],
          selectionMode: "COUNT(1)",
        },
      },
      actions: {
        go: {
          actionId: "aws:ec2:send-spot-instance-interruptions",
          parameters: { durationBeforeInterruption: "PT15M" },
          targets: { SpotInstances: "these" },
        },
      },
    }),
  );
  const start = await fis.send(
    new StartExperimentCommand({ clientToken: "s", experimentTemplateId: made.experimentTemplate?.id }),
  );
  const again = (clientToken: string, experimentTemplateId: string | undefined, tags = {}) =>
    fis.send(new StartExperimentCommand({ clientToken, experimentTemplateId, tags }));
  const repeated = await again("s", made.experimentTemplate?.id);
  expect(repeated.experiment?.id).toBe(start.experiment?.id);
  await expect(again("s", made.experimentTemplate?.id, { other: "1" })).rejects.toMatchObject({
    name: "ConflictException",
  });
  const stopped = await fis.send(new StopExperimentCommand({ id: start.experiment?.id }));
  expect(stopped.experiment?.state?.status).toBe("stopped");
  await advance(3600);
  expect((await instanceOf(instance))?.State?.Name).toBe("running");
});
