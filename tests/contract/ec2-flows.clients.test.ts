/** The acceptance flows of a spot back end through boto3 and the aws command, straight to the emulator and by the gateway. */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { expect } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { run } from "../support/command.ts";
import { type Tool, testWith } from "../support/tools.ts";
import { expiredSession, frozenAt, startEc2 } from "./ec2-start.ts";

const execute = promisify(execFile);
const script = (name: string) => join(packageRoot(), "tests/contract/clients/ec2", name);
const boto3: Tool = {
  name: "Python's boto3",
  package: "python3-boto3",
  commands: ["/usr/bin/python3", "python3"],
  probe: ["-c", "import boto3"],
};
const aws: Tool = {
  name: "aws",
  package: "awscli",
  commands: ["/usr/bin/aws", "aws"],
  probe: ["--version"],
};
const settings = { BACKLOT_PACE: "1", BACKLOT_CLOCK: `frozen@${frozenAt}` };

/** Straight: the clients are told the emulator's address. */
async function straight(command: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
  const started = await startEc2(settings);
  try {
    const [file = "", ...args] = command;
    const { stdout } = await execute(file, args, {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        ...started.emulator.environment(),
        ...expiredSession(started),
        BACKLOT_URL: started.url,
        FLOW_ENDPOINT: started.url,
        ...more,
      },
    });
    return stdout.trim();
  } finally {
    await started.close();
  }
}

/** By the gateway: Debian's clients are older than the endpoint variables and ask the real host names. */
async function byGateway(command: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<string> {
  const started = await startEc2();
  const expired = expiredSession(started);
  await started.close();
  const { code, stdout, stderr } = await run(["exec", "--", ...command], { env: { ...settings, ...expired, ...more } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout.trim();
}

testWith(boto3, "boto3, straight to the emulator", async (command) => {
  expect(await straight([command, script("boto3_flows.py")])).toBe("all flows passed");
});
testWith(boto3, "boto3, by the gateway", async (command) => {
  expect(await byGateway([command, script("boto3_flows.py")])).toBe("all flows passed");
});

const awsFlows = (command: string) => ["/usr/bin/python3", script("aws_flows.py"), command];
const awsPath = (command: string) =>
  command.startsWith("/") ? { PATH: `${dirname(command)}:${process.env.PATH}` } : {};
/** Some seventy commands, each a Python of its own. */
const awsMs = 600_000;
testWith(
  aws,
  "aws with --endpoint-url",
  async (command) => {
    expect(await straight(awsFlows(command), awsPath(command))).toBe("all flows passed");
  },
  awsMs,
);
testWith(
  aws,
  "aws, by the gateway",
  async (command) => {
    expect(await byGateway(awsFlows(command), awsPath(command))).toBe("all flows passed");
  },
  awsMs,
);
