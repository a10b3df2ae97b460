import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { freePorts, run, start, temporaryFolder } from "../support/command.ts";

const packageFile = join(packageRoot(), "package.json");

test("up --json says where everything is, every service answers, and SIGTERM stops it in time", async () => {
  const backlot = start(["up", "--json"], { env: freePorts });
  const ready = JSON.parse(await backlot.line());
  expect(ready).toMatchObject({
    ready: true,
    mode: "mock",
    services: {
      twilio: { url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
      "azure-policyinsights": { url: expect.stringMatching(/^https:/), httpUrl: expect.stringMatching(/^http:/) },
      "ec2-spot": { url: expect.any(String), imdsUrl: expect.any(String) },
      smtp: { host: "127.0.0.1", port: expect.any(Number), url: expect.any(String) },
      suite: { url: expect.any(String) },
    },
    ca: expect.stringMatching(/ca\.pem$/),
  });
  const health = (await (await fetch(`${ready.services.suite.url}/health`)).json()) as {
    status: string;
    checks: object;
  };
  expect(health).toMatchObject({ status: "healthy", mode: "mock" });
  expect(Object.keys(health.checks)).toEqual(["twilio", "azure-policyinsights", "ec2-spot", "smtp"]);
  const stopping = performance.now();
  backlot.child.kill("SIGTERM");
  expect(await backlot.finished).toMatchObject({ code: 0, stderr: "" });
  expect(performance.now() - stopping).toBeLessThan(2_000);
});

test("up tells a person what is where, in which mode and with which seed", async () => {
  const env = { ...freePorts, BACKLOT_SMTP_STARTTLS_PORT: "0", BACKLOT_POP3_PORT: "0" };
  const backlot = start(["up", "--seed", "story", "--only", "smtp"], { env });
  await backlot.line();
  backlot.child.kill("SIGINT");
  const { stdout, code } = await backlot.finished;
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /SMTP +http:\/\/127\.0\.0\.1:\d+ +SMTP host and port 127\.0\.0\.1:\d+, with STARTTLS 127\.0\.0\.1:\d+, inbox API http:\/\/127\.0\.0\.1:\d+, POP3 127\.0\.0\.1:\d+\n/,
  );
  expect(stdout).toContain("mode mock");
  expect(stdout).toContain("seed story");
  expect(stdout).not.toContain("Twilio");
});

test("every setting that cannot be used is listed at once, with what is allowed", async () => {
  const { code, stderr } = await run(["up"], {
    env: { ...freePorts, BACKLOT_TWILIO_PORT: "abc", BACKLOT_CLOCK: "tomorrow", BACKLOT_PACE: "-1" },
  });
  expect(code).toBe(1);
  expect(stderr).toMatch(/BACKLOT_TWILIO_PORT=abc.*port/);
  expect(stderr).toMatch(/BACKLOT_CLOCK=tomorrow.*frozen@/);
  expect(stderr).toMatch(/BACKLOT_PACE=-1.*0 or more/);
  expect(stderr).not.toMatch(/\n\s+at /);
});

test.each([
  [["fly"], "There is no command fly.", "backlot up [options]"],
  [["docter"], "There is no command docter; did you mean doctor?", "backlot up [options]"],
  [["up", "--sed", "x"], "There is no option --sed; did you mean --seed?", "backlot up [options]"],
  [["env", "--clock", "real"], "backlot env does not take --clock.", "backlot env [--shell|--json]"],
  [["up", "now"], "backlot up does not take now.", "backlot up [options]"],
  [["exec", "npm", "test"], "What is to run stands after --: backlot exec -- npm test", "backlot exec [options]"],
  [["probe"], "backlot probe URL --secret SECRET", "backlot probe URL"],
])("%j is refused with what was meant and the help on it", async (args, said, help) => {
  const { code, stderr } = await run(args);
  expect(code).toBe(2);
  expect(stderr.split("\n")[0]).toContain(said);
  expect(stderr).toContain(help);
});

test("help is about one command when one is named", async () => {
  const { stdout } = await run(["help", "exec"]);
  expect(stdout).toContain("--no-egress-check");
  expect(stdout).not.toContain("backlot doctor");
  expect(await run(["exec", "--help"])).toMatchObject({ code: 0, stdout });
  expect((await run(["evidence", "--help"])).stdout).toMatch(
    /evidence record[\s\S]*evidence verify[\s\S]*evidence diff/,
  );
});

test("a misspelt variable, and one that has no effect as it is written, is told", async () => {
  const env = { ...freePorts, BACKLOT_TWILLIO_PORT: "4101", BACKLOT_TWILIO_URL: "http://127.0.0.1:4101" };
  const { code, stdout } = await run(["check"], { env });
  expect(code).toBe(1);
  expect(stdout).toContain("BACKLOT_TWILLIO_PORT is no setting; did you mean BACKLOT_TWILIO_PORT?");
  expect(stdout).toContain("1 problem.");
  const backlot = start(["up", "--only", "smtp"], { env });
  await backlot.line();
  backlot.child.kill("SIGTERM");
  expect(await backlot.finished).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^BACKLOT_TWILLIO_PORT is no/),
  });
});

test("up can be stopped while it waits for an emulator that does not come, and says what it waits for", async () => {
  const env = { ...freePorts, BACKLOT_ONLY: "smtp", BACKLOT_ATTACH: "twilio=http://127.0.0.1:9" };
  const backlot = start(["up"], { env });
  const told = await new Promise<string>((resolve) => backlot.child.stderr?.once("data", (text) => resolve(`${text}`)));
  expect(told).toMatch(/"service":"twilio","url":"http:\/\/127\.0\.0\.1:9".*waiting for it/);
  backlot.child.kill("SIGINT");
  expect(await backlot.finished).toMatchObject({ code: 1, stdout: "" });
});

test("a second Backlot is told of the first", async () => {
  const backlot = start(["up", "--json", "--only", "smtp"], { env: freePorts });
  const { services } = JSON.parse(await backlot.line());
  const { port } = new URL(services.suite.url);
  const env = { ...freePorts, BACKLOT_PORT: port };
  const said = `A Backlot runs already, at port ${port}`;
  expect(await run(["up", "--only", "smtp"], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(said),
  });
  expect(await run(["check"], { env })).toMatchObject({ code: 1, stdout: expect.stringContaining(said) });
});

test.each([
  [{ BACKLOT_HOST: "192.0.2.7" }, /192\.0\.2\.7 is no address of this machine\. Set BACKLOT_HOST/],
  [{ BACKLOT_DATA_DIR: packageFile }, /BACKLOT_DATA_DIR=.*package\.json.* something that is no folder is in its place/],
  [
    { BACKLOT_CA_DIR: packageFile, BACKLOT_SMTPS_PORT: "0" },
    /BACKLOT_CA_DIR=.*package\.json.* something that is no folder is in its place/,
  ],
  [{ BACKLOT_ONLY: "smtp,azure" }, /BACKLOT_ONLY.* azure.*did you mean azure-policyinsights/],
])("%j names the setting at fault", async (wrong, said) => {
  const { code, stderr } = await run(["up"], { env: { ...freePorts, BACKLOT_ONLY: "smtp", ...wrong } });
  expect(code).toBe(1);
  expect(stderr).toMatch(said);
  expect(stderr).not.toMatch(/_PORT|EEXIST|\n\s+at /);
});

test("an authority whose key cannot be read names the setting", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "ca-key.pem"), "no key");
  const env = { ...freePorts, BACKLOT_CA_DIR: folder, BACKLOT_SMTPS_PORT: "0" };
  const { code, stderr } = await run(["up", "--only", "smtp"], { env });
  expect(code).toBe(1);
  expect(stderr).toContain(`BACKLOT_CA_DIR=${folder} cannot be used: `);
});

test("an unknown emulator and a taken port are named", async () => {
  expect(await run(["up", "--only", "twillio"], { env: freePorts })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("twillio, which is no emulator; did you mean twilio?"),
  });
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  const env = { ...freePorts, BACKLOT_TWILIO_PORT: String(port) };
  expect(await run(["up"], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      new RegExp(`127.0.0.1:${port}: another program uses that port. Set BACKLOT_TWILIO_PORT`),
    ),
  });
  expect(await run(["up"], { env: { ...freePorts, BACKLOT_SMTP_PORT: String(port) } })).toMatchObject({
    code: 1,
    stderr: `Cannot listen on 127.0.0.1:${port}: another program uses that port. Set BACKLOT_SMTP_PORT to another port, or to 0 for a free one.\n`,
  });
  expect(await run(["check"], { env })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(`BACKLOT_TWILIO_PORT=${port} cannot be opened`),
  });
});

test("settings come from the environment, then .env.<name>, then .env", async () => {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, ".env"), "BACKLOT_SEED=low\nBACKLOT_PACE=wrong\n");
  writeFileSync(join(cwd, ".env.testing"), "BACKLOT_PACE=2\n");
  expect(await run(["check"], { cwd, env: freePorts })).toMatchObject({
    code: 1,
    stdout: expect.stringContaining("BACKLOT_PACE=wrong"),
  });
  expect(await run(["check", "--env", "testing"], { cwd, env: freePorts })).toMatchObject({ code: 0 });
  expect(await run(["check"], { cwd, env: { ...freePorts, BACKLOT_PACE: "1" } })).toMatchObject({ code: 0 });
});

test("env asks the running suite; without one it works the same variables out", async () => {
  const backlot = start(["up", "--json"], { env: freePorts });
  const { services } = JSON.parse(await backlot.line());
  const running = await run(["env", "--json"], { env: { BACKLOT_PORT: new URL(services.suite.url).port } });
  const variables = JSON.parse(running.stdout) as Record<string, string>;
  expect(variables).toMatchObject({
    BACKLOT_TWILIO_URL: services.twilio.url,
    AWS_ENDPOINT_URL: services["ec2-spot"].url,
    SMTP_PORT: String(services.smtp.port),
    NODE_EXTRA_CA_CERTS: expect.any(String),
  });
  const alone = await run(["env", "--json"], { env: { BACKLOT_PORT: "9" } });
  expect(alone.stderr).toContain("does not answer at port 9");
  const workedOut = JSON.parse(alone.stdout) as Record<string, string>;
  for (const name of [
    "TWILIO_ACCOUNT_SID",
    "TWILIO_AUTH_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
    "BACKLOT_ROLE_ARN",
  ])
    expect(workedOut[name], name).toBe(variables[name]);
  expect(workedOut.BACKLOT_TWILIO_URL).toBe("http://127.0.0.1:4101");
  const lines = await run(["env", "--shell"], { env: { BACKLOT_PORT: new URL(services.suite.url).port } });
  expect(lines.stdout).toMatch(/^export TWILIO_ACCOUNT_SID=AC[0-9a-f]{32}$/m);
});

test("USE_REAL_DATA=true: every service refuses and says why, the control API stays up", async () => {
  const backlot = start(["up", "--json"], { env: { ...freePorts, USE_REAL_DATA: "true" } });
  const { mode, services } = JSON.parse(await backlot.line());
  expect(mode).toBe("real");
  const statuses = await Promise.all(
    [
      `${services.twilio.url}/2010-04-01/Accounts.json`,
      `${services["azure-policyinsights"].httpUrl}/subscriptions?api-version=2020-01-01`,
      `${services["ec2-spot"].url}/?Action=DescribeRegions&Version=2016-11-15`,
      `${services["ec2-spot"].imdsUrl}/latest/meta-data/`,
      `${services.smtp.url}/api/v2/messages`,
    ].map(async (url) => {
      const response = await fetch(url);
      return [response.status, /_|real/i.test(await response.text())];
    }),
  );
  expect(statuses).toEqual([
    [503, true],
    [503, true],
    [503, true],
    [503, true],
    [503, true],
  ]);
  const greeting = await new Promise<string>((resolve, reject) => {
    connect(services.smtp.port, "127.0.0.1")
      .once("data", (chunk) => resolve(chunk.toString()))
      .once("error", reject);
  });
  expect(greeting).toMatch(/^421 4\.3\.2 .*real mode is refused/);
  const health = (await (await fetch(`${services.suite.url}/api/v1/health`)).json()) as {
    status: string;
    configuration_hints: string[];
  };
  expect(health).toMatchObject({ status: "degraded", mode: "real" });
  expect(health.configuration_hints.join(" ")).toMatch(
    /TWILIO_ACCOUNT_SID[\s\S]*AZURE_TENANT_ID[\s\S]*AWS_ACCESS_KEY_ID/,
  );
  expect(await (await fetch(`${services.suite.url}/_backlot/providers`)).json()).toMatchObject({
    app_mode: "real",
    sms: "backlot-twilio",
    policy: "backlot-azure-policyinsights",
    spot: "backlot-ec2-spot",
    email: "backlot-smtp",
  });
});

test("a reader that hangs up early is no failure", () => {
  const launcher = join(packageRoot(), "scripts", "launcher.mjs");
  // `true` has ended long before anything is written to it.
  const script = `"$@" | true; exit \${PIPESTATUS[0]}`;
  const finished = spawnSync("bash", ["-c", script, "bash", process.execPath, launcher, "help"], { encoding: "utf8" });
  expect(finished).toMatchObject({ status: 0, stderr: "" });
});
