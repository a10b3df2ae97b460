/** Roles, sessions and identities through the official SDK, leniently and strictly. */
import { DescribeRegionsCommand, DescribeSpotPriceHistoryCommand } from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sealSession } from "../../emulators/ec2-spot/identity.ts";
import { createSeals } from "../../emulators/ec2-spot/seals.ts";
import { type Credentials, type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
beforeAll(async () => {
  started = await startEc2();
});
afterAll(() => started.close());

async function assume(of: Started, name = "switch") {
  const answer = await of.sts().send(
    new AssumeRoleCommand({
      RoleArn: of.roleArn,
      RoleSessionName: name,
      ExternalId: of.externalId,
      DurationSeconds: 3600,
    }),
  );
  const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "", Expiration } = answer.Credentials ?? {};
  const credentials: Credentials = {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
  };
  return { answer, credentials, expires: Expiration?.getTime() ?? 0 };
}

const told = (promise: Promise<unknown>) =>
  promise.then(
    () => "answered",
    (cause: Error & { $metadata?: { httpStatusCode?: number } }) =>
      `${cause.name} ${cause.$metadata?.httpStatusCode}: ${cause.message}`,
  );

test("a session by external id has one identity everywhere and may ask for prices", async () => {
  const { answer, credentials, expires } = await assume(started);
  expect(credentials.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect(credentials.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(credentials.sessionToken?.length).toBeGreaterThanOrEqual(300);
  // The wall clock, although the emulator's is frozen: SDKs compare it with their own.
  expect(Math.abs(expires - Date.now() - 3_600_000)).toBeLessThan(10_000);
  const identity = await started.sts({ credentials }).send(new GetCallerIdentityCommand({}));
  expect(identity.UserId).toBe(answer.AssumedRoleUser?.AssumedRoleId);
  expect(identity.Arn).toBe("arn:aws:sts::111122223333:assumed-role/backlot-spot-switcher/switch");
  expect(identity.Arn).toBe(answer.AssumedRoleUser?.Arn);
  expect(identity.Account).toBe("111122223333");
  const prices = await started.ec2({ credentials }).send(new DescribeSpotPriceHistoryCommand({ MaxResults: 1 }));
  expect(prices.SpotPriceHistory).toHaveLength(1);
});

test("a user is itself", async () => {
  const identity = await started.sts().send(new GetCallerIdentityCommand({}));
  expect(identity).toMatchObject({ Arn: "arn:aws:iam::111122223333:user/backlot", Account: "111122223333" });
  expect(identity.UserId).toMatch(/^AIDA[A-Z2-7]{17}$/);
});

test("a wrong external id, none, and a role that does not exist are denied alike", async () => {
  const ask = (RoleArn: string, ExternalId?: string) =>
    told(
      started
        .sts()
        .send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "s1", ...(ExternalId ? { ExternalId } : {}) })),
    );
  const denied = (role: string) =>
    `AccessDenied 403: User: arn:aws:iam::111122223333:user/backlot is not authorized to perform: sts:AssumeRole on resource: ${role}`;
  expect(await ask(started.roleArn, "wrong")).toBe(denied(started.roleArn));
  expect(await ask(started.roleArn)).toBe(denied(started.roleArn));
  expect(await ask("arn:aws:iam::111122223333:role/none", started.externalId)).toBe(
    denied("arn:aws:iam::111122223333:role/none"),
  );
  expect(await ask("arn:aws:iam::444455556666:role/partner-reader")).toContain("AccessDenied 403");
});

test("arguments out of bounds are told together, and a role has a longest session", async () => {
  const { body, status } = await started.query({
    Action: "AssumeRole",
    Version: "2011-06-15",
    RoleArn: started.roleArn,
    RoleSessionName: "!",
    DurationSeconds: "899",
  });
  expect(status).toBe(400);
  expect(body).toContain("<ErrorResponse");
  expect(body).toContain("<Code>ValidationError</Code>");
  expect(body).toContain("3 validation errors detected");
  expect(body).toContain(
    "at &apos;durationSeconds&apos; failed to satisfy constraint: Member must have value greater than or equal to 900",
  );
  expect(body).toMatch(/<RequestId>[0-9a-f-]{36}<\/RequestId>/);
});

test("sessions are counted, so that two of them differ and a second start repeats them", async () => {
  const again = await startEc2();
  const keys = async (of: Started) => [
    (await assume(of, "twice")).credentials.accessKeyId,
    (await assume(of, "twice")).credentials.accessKeyId,
  ];
  const here = await keys(started);
  expect(here[0]).not.toBe(here[1]);
  expect(await keys(again)).toEqual(here);
  await again.close();
});

test("zone letters of another account mean other places; zone ids do not", async () => {
  const partner = started.emulator.runtime.state.firstAccessKey("444455556666");
  if (!partner) throw new Error("no partner key is seeded");
  const other = started.ec2({ credentials: { accessKeyId: partner.id, secretAccessKey: partner.secret } });
  const ask = new DescribeSpotPriceHistoryCommand({
    InstanceTypes: ["m5.large"],
    ProductDescriptions: ["Linux/UNIX"],
    MaxResults: 20,
  });
  const mine = (await started.ec2().send(ask)).SpotPriceHistory ?? [];
  const theirs = (await other.send(ask)).SpotPriceHistory ?? [];
  expect(theirs.map((price) => [price.AvailabilityZoneId, price.SpotPrice, price.Timestamp])).toEqual(
    mine.map((price) => [price.AvailabilityZoneId, price.SpotPrice, price.Timestamp]),
  );
  expect(theirs.map((price) => price.AvailabilityZone)).not.toEqual(mine.map((price) => price.AvailabilityZone));
});

test("a session that has expired is refused, whether signatures are checked or not", async () => {
  const seals = createSeals(started.emulator.runtime.ids);
  const accessKeyId = (await assume(started, "old")).credentials.accessKeyId;
  const arn = "arn:aws:sts::111122223333:assumed-role/backlot-spot-switcher/old";
  const session = {
    accessKeyId,
    account: "111122223333",
    roleArn: started.roleArn,
    assumedRoleId: "AROA:old",
    arn,
    expires: Date.now() - 1,
  };
  const credentials = {
    accessKeyId,
    secretAccessKey: seals.secretOf(accessKeyId),
    sessionToken: sealSession(seals, session),
  };
  expect(await told(started.sts({ credentials }).send(new GetCallerIdentityCommand({})))).toBe(
    "ExpiredToken 403: The security token included in the request is expired",
  );
  expect(await told(started.ec2({ credentials }).send(new DescribeRegionsCommand({})))).toBe(
    "RequestExpired 400: Request has expired.",
  );
});

test("strictly: the right secret passes for users and sessions, and everything else fails as on AWS", async () => {
  const strict = await startEc2();
  strict.emulator.runtime.store.write(() => strict.emulator.runtime.state.putSetting("signatures", "strict"));
  const { credentials } = await assume(strict);
  expect(await told(strict.ec2({ credentials }).send(new DescribeRegionsCommand({})))).toBe("answered");
  expect(
    await told(
      strict.ec2().send(new DescribeRegionsCommand({ Filters: [{ Name: "region-name", Values: ["us *+~/é"] }] })),
    ),
  ).toBe("answered");
  const wrong = { ...strict.user, secretAccessKey: "x".repeat(40) };
  expect(await told(strict.ec2({ credentials: wrong }).send(new DescribeRegionsCommand({})))).toContain(
    "AuthFailure 401",
  );
  expect(await told(strict.sts({ credentials: wrong }).send(new GetCallerIdentityCommand({})))).toContain(
    "SignatureDoesNotMatch 403",
  );
  const unknown = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "x".repeat(40) };
  expect(await told(strict.sts({ credentials: unknown }).send(new GetCallerIdentityCommand({})))).toContain(
    "InvalidClientTokenId 403",
  );
  const forged = { ...credentials, sessionToken: `${credentials.sessionToken?.slice(0, -4)}AAAA` };
  expect(await told(strict.ec2({ credentials: forged }).send(new DescribeRegionsCommand({})))).toContain(
    "AuthFailure 401",
  );
  expect((await strict.query({ Action: "DescribeRegions", Version: "2016-11-15" })).body).toContain(
    "MissingAuthenticationToken",
  );
  const stale = await strict.query(
    { Action: "DescribeRegions", Version: "2016-11-15" },
    {
      "x-amz-date": "20200101T000000Z",
      authorization: `AWS4-HMAC-SHA256 Credential=${strict.user.accessKeyId}/20200101/us-east-1/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
    },
  );
  expect(stale.body).toContain("<Code>RequestExpired</Code>");
  // A presigned query holds for as long as it says, also when that is less than the skew that headers are allowed.
  const presigned = async (seconds: number) => {
    const date = new Date(Date.now() - 120_000).toISOString().replace(/[-:]|\.\d+/g, "");
    const query = new URLSearchParams({
      Action: "DescribeRegions",
      Version: "2016-11-15",
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": `${strict.user.accessKeyId}/${date.slice(0, 8)}/us-east-1/ec2/aws4_request`,
      "X-Amz-Date": date,
      "X-Amz-Expires": String(seconds),
      "X-Amz-SignedHeaders": "host",
      "X-Amz-Signature": "0".repeat(64),
    });
    return (await fetch(`${strict.url}/?${query}`)).text();
  };
  expect(await presigned(60)).toContain("<Code>RequestExpired</Code>");
  expect(await presigned(300)).toContain("<Code>AuthFailure</Code>");
  await strict.close();
});
