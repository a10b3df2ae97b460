/** The flows of a spot back end through boto3 and the aws command, where they are installed. */
import { execFile, spawnSync } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { frozenAt, type Started, startEc2 } from "./ec2-start.ts";

const run = promisify(execFile);
const hasBoto3 = spawnSync("python3", ["-c", "import boto3"]).status === 0;
const hasAws = spawnSync("aws", ["--version"]).status === 0;

let started: Started;
beforeAll(async () => {
  started = await startEc2({ BACKLOT_PACE: "1" });
});
afterAll(() => started.close());

const environment = () => ({
  ...process.env,
  AWS_CONFIG_FILE: "/dev/null",
  AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  ...started.emulator.environment(),
  BACKLOT_URL: started.url,
  BACKLOT_NOW: frozenAt,
});

test.skipIf(!hasBoto3)("boto3", { timeout: 60_000 }, async () => {
  const script = join(packageRoot(), "tests/contract/clients/ec2-flows.py");
  const { stdout } = await run("python3", [script], { env: environment() });
  expect(stdout.trim()).toBe("all flows passed");
});

test.skipIf(!hasAws)("the aws command", { timeout: 60_000 }, async () => {
  const aws = async (...words: string[]) => {
    const { stdout } = await run("aws", ["--endpoint-url", started.url, "--output", "json", ...words], {
      env: environment(),
    });
    return stdout === "" ? undefined : JSON.parse(stdout);
  };
  const identity = await aws("sts", "get-caller-identity");
  expect(identity).toMatchObject({ Account: "111122223333" });
  const prices = await aws(
    ...["ec2", "describe-spot-price-history", "--instance-types", "m5.large", "--product-descriptions", "Linux/UNIX"],
    ...["--start-time", frozenAt, "--max-items", "3"],
  );
  expect(prices.SpotPriceHistory).toHaveLength(3);
  const images = await aws(
    "ec2",
    "describe-images",
    "--owners",
    "amazon",
    "--filters",
    "Name=name,Values=al2023*x86_64",
  );
  const launched = await aws(
    ...["ec2", "run-instances", "--image-id", images.Images[0].ImageId, "--instance-type", "m5.large"],
    ...["--instance-market-options", "MarketType=spot"],
  );
  expect(launched.Instances[0]).toMatchObject({ InstanceLifecycle: "spot", State: { Name: "pending" } });
});
