/** The acceptance flows through the AWS SDK for JavaScript, as far as other files do not tell them: waits, retries, skew. */
import {
  CancelSpotInstanceRequestsCommand,
  CreateImageCommand,
  DescribeImagesCommand,
  DescribeRegionsCommand,
  DescribeSpotInstanceRequestsCommand,
  EC2Client,
  RequestSpotInstancesCommand,
  RunInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
  waitUntilImageAvailable,
  waitUntilImageExists,
  waitUntilInstanceExists,
  waitUntilInstanceRunning,
  waitUntilInstanceStatusOk,
  waitUntilInstanceStopped,
  waitUntilInstanceTerminated,
  waitUntilSnapshotCompleted,
  waitUntilSpotInstanceRequestFulfilled,
  waitUntilSystemStatusOk,
} from "@aws-sdk/client-ec2";
import { FisClient, ListExperimentsCommand } from "@aws-sdk/client-fis";
import { DescribeServicesCommand, PricingClient } from "@aws-sdk/client-pricing";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Credentials, expiredSession, type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let ec2: EC2Client;
let image: string;
beforeEach(async () => {
  started = await startEc2({ BACKLOT_PACE: "1" });
  ec2 = started.ec2();
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Owners: ["amazon"], Filters: [{ Name: "name", Values: ["al2023*x86_64"] }] }),
  );
  image = Images[0]?.ImageId ?? "";
});
afterEach(() => started.close());

const now = () => started.emulator.runtime.clock.now();
const advance = (seconds: number) => started.emulator.advance(now() + Math.round(seconds * 1000));
const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error & { $metadata?: { httpStatusCode?: number } }) => `${cause.name} ${cause.$metadata?.httpStatusCode}`,
  );
/** Waiters of the SDK wait a second or more between two looks: what they look for is there when they look first. */
const soon = () => ({ client: ec2, maxWaitTime: 2, minDelay: 1, maxDelay: 1 });
const launch = async () => {
  const answer = await ec2.send(
    new RunInstancesCommand({ ImageId: image, InstanceType: "m5.large", MinCount: 1, MaxCount: 1 }),
  );
  return answer.Instances?.[0]?.InstanceId ?? "";
};
const askForSpot = async (more: Partial<ConstructorParameters<typeof RequestSpotInstancesCommand>[0]> = {}) => {
  const answer = await ec2.send(
    new RequestSpotInstancesCommand({
      LaunchSpecification: {
        ImageId: image,
        InstanceType: "m5.large",
        Placement: { AvailabilityZone: "us-east-1b" },
      },
      ...more,
    }),
  );
  return answer.SpotInstanceRequests?.[0]?.SpotInstanceRequestId ?? "";
};

test("the whole switch, with every wait, in under a second", { retry: 2 }, async () => {
  const began = process.hrtime.bigint();
  const old = await launch();
  await advance(20);
  await waitUntilInstanceRunning(soon(), { InstanceIds: [old] });
  const { ImageId = "" } = await ec2.send(new CreateImageCommand({ InstanceId: old, Name: "fast" }));
  await advance(600);
  await waitUntilImageAvailable(soon(), { ImageIds: [ImageId] });
  const request = await askForSpot({
    LaunchSpecification: { ImageId, InstanceType: "m5.large", Placement: { AvailabilityZone: "us-east-1b" } },
  });
  await advance(5);
  await waitUntilSpotInstanceRequestFulfilled(soon(), { SpotInstanceRequestIds: [request] });
  const found = await ec2.send(new DescribeSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [request] }));
  const next = found.SpotInstanceRequests?.[0]?.InstanceId ?? "";
  await advance(200);
  await waitUntilInstanceStatusOk(soon(), { InstanceIds: [next] });
  await ec2.send(new TerminateInstancesCommand({ InstanceIds: [old] }));
  await advance(60);
  await waitUntilInstanceTerminated(soon(), { InstanceIds: [old] });
  expect(Number(process.hrtime.bigint() - began) / 1e6).toBeLessThan(1_000);
});

test("every waiter of a switch succeeds, and fails where AWS's states say so", async () => {
  const id = await launch();
  const ids = { InstanceIds: [id] };
  await waitUntilInstanceExists(soon(), ids);
  await advance(200);
  await waitUntilSystemStatusOk(soon(), ids);
  const { ImageId = "" } = await ec2.send(new CreateImageCommand({ InstanceId: id, Name: "all" }));
  await waitUntilImageExists(soon(), { ImageIds: [ImageId] });
  await advance(600);
  const made = await ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] }));
  const snapshot = made.Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "";
  await waitUntilSnapshotCompleted(soon(), { SnapshotIds: [snapshot] });
  await ec2.send(new StopInstancesCommand(ids));
  await expect(waitUntilInstanceRunning(soon(), ids)).rejects.toThrow(/FAILURE/);
  await advance(60);
  await waitUntilInstanceStopped(soon(), ids);
  await ec2.send(new TerminateInstancesCommand(ids));
  await advance(60);
  await expect(waitUntilInstanceStopped(soon(), ids)).rejects.toThrow(/FAILURE/);
  const low = await askForSpot({ SpotPrice: "0.001" });
  await advance(10);
  await expect(waitUntilSpotInstanceRequestFulfilled(soon(), { SpotInstanceRequestIds: [low] })).rejects.toThrow(
    /TIMEOUT/,
  );
  await ec2.send(new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [low] }));
  await expect(waitUntilSpotInstanceRequestFulfilled(soon(), { SpotInstanceRequestIds: [low] })).rejects.toThrow(
    /FAILURE/,
  );
});

test("one refusal for too many requests is not noticed, three in a row are too many for the SDK", async () => {
  const plan = async (times: number) => {
    await fetch(`${started.url}/_backlot/faults`, { method: "DELETE" });
    const planned = await fetch(`${started.url}/_backlot/faults`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        match: { body: { Action: "DescribeRegions" } },
        action: { status: 503, code: "RequestLimitExceeded", message: "Request limit exceeded." },
        times,
      }),
    });
    expect(planned.status).toBe(201);
  };
  const client = new EC2Client({ endpoint: started.url, region: "us-east-1", credentials: started.user });
  await plan(1);
  const answer = await client.send(new DescribeRegionsCommand({}));
  expect(answer.$metadata.attempts).toBe(2);
  await plan(5);
  await expect(client.send(new DescribeRegionsCommand({}))).rejects.toMatchObject({
    name: "RequestLimitExceeded",
    message: "Request limit exceeded.",
    $metadata: { httpStatusCode: 503, attempts: 3 },
  });
  client.destroy();
});

test("strictly, in all four services: a wrong secret, an expired session, a clock that is six minutes off", async () => {
  started.emulator.runtime.store.write(() => started.emulator.runtime.state.putSetting("signatures", "strict"));
  const ask = async (credentials: Credentials, systemClockOffset = 0) => {
    const settings = { endpoint: started.url, region: "us-east-1", credentials, maxAttempts: 1, systemClockOffset };
    const clients = [
      new EC2Client(settings),
      new STSClient(settings),
      new PricingClient(settings),
      new FisClient(settings),
    ] as const;
    const answers = [
      await told(clients[0].send(new DescribeRegionsCommand({}))),
      await told(clients[1].send(new GetCallerIdentityCommand({}))),
      await told(clients[2].send(new DescribeServicesCommand({}))),
      await told(clients[3].send(new ListExperimentsCommand({}))),
    ];
    for (const client of clients) client.destroy();
    return answers.map((answer, index) => (index < 2 ? answer : answer.replace(/ 40[03]$/, "")));
  };
  const { EXPIRED_KEY_ID, EXPIRED_SECRET, EXPIRED_TOKEN } = expiredSession(started);
  expect(await ask(started.user)).toEqual(Array(4).fill("answered"));
  expect(await ask(started.user, 240_000)).toEqual(Array(4).fill("answered"));
  const bad = [
    "AuthFailure 401",
    "SignatureDoesNotMatch 403",
    "InvalidSignatureException",
    "InvalidSignatureException",
  ];
  expect(await ask({ ...started.user, secretAccessKey: "x".repeat(40) })).toEqual(bad);
  expect(
    await ask({ accessKeyId: EXPIRED_KEY_ID, secretAccessKey: EXPIRED_SECRET, sessionToken: EXPIRED_TOKEN }),
  ).toEqual(["RequestExpired 400", "ExpiredToken 403", "ExpiredTokenException", "ExpiredTokenException"]);
  for (const offset of [-360_000, 360_000])
    expect(await ask(started.user, offset)).toEqual(["RequestExpired 400", ...bad.slice(1)]);
});
