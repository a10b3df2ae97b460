/** Real mode: the official SDK surfaces why nothing is emulated and what to set. */
import { DescribeSpotPriceHistoryCommand } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { expect, test } from "vitest";
import { startEc2 } from "./ec2-start.ts";

const refused = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (cause: Error & { $metadata?: { httpStatusCode?: number } }) => ({
      name: cause.name,
      status: cause.$metadata?.httpStatusCode,
      message: cause.message,
    }),
  );

test.each([
  { USE_REAL_DATA: "true" },
  { BACKLOT_MODE: "real" },
  { APP_MODE: "production" },
])("%o refuses everything with a hint", async (environment) => {
  const started = await startEc2(environment);
  for (const answer of [
    await refused(started.ec2().send(new DescribeSpotPriceHistoryCommand({}))),
    await refused(started.sts().send(new GetCallerIdentityCommand({}))),
  ]) {
    expect(answer).toMatchObject({ name: "ServiceUnavailable", status: 503 });
    for (const word of ["Amazon EC2 and STS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "README.md"])
      expect(answer?.message).toContain(word);
  }
  const metadata = await fetch(`${started.imds}/latest/meta-data/instance-id`);
  expect([metadata.status, await metadata.text()]).toEqual([503, expect.stringContaining("AWS_REGION")]);
  await started.close();
});

test("one request can ask for the real service", async () => {
  const started = await startEc2();
  const { status, body } = await started.query({ Action: "DescribeRegions" }, { "x-use-real-data": "true" });
  expect(status).toBe(503);
  expect(body).toContain("<Code>ServiceUnavailable</Code>");
  expect((await started.query({ Action: "DescribeRegions" })).status).toBe(200);
  await started.close();
});

test("a body beyond the limit is refused in XML", async () => {
  const started = await startEc2({ BACKLOT_BODY_LIMIT: "2KiB" });
  const { status, body } = await started.query({ Action: "DescribeRegions", Filler: "x".repeat(4000) });
  expect(status).toBe(413);
  expect(body).toContain("<Code>RequestEntityTooLarge</Code>");
  await started.close();
});
