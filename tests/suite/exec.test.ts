/** `backlot exec`: the command's own exit code, or 70 with a list; its environment; signals; real mode. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { sandboxMark } from "../../emulators/suite/commands/sandbox.ts";
import { waysOut } from "../../emulators/suite/evidence/connections.ts";
import { runEnvironment } from "../../emulators/suite/run-environment.ts";
import { run, start, temporaryFolder } from "../support/command.ts";
import { testUnless } from "../support/tools.ts";

const quiet = { BACKLOT_LOG_LEVEL: "error" };
/** A script for the Node that runs these tests. */
const node = (source: string) => ["exec", "--", process.execPath, "--input-type=module", "-e", source];
const foreign = 'await fetch("https://telemetry.example.com/v1").catch(() => {});';

test("the command's exit code, its output, and nothing left behind", async () => {
  const tmp = temporaryFolder();
  const finished = await run(node("process.stdout.write(process.env.TMPDIR); process.exit(3)"), {
    env: { ...quiet, TMPDIR: tmp },
  });
  expect(finished).toEqual({ code: 3, stdout: tmp, stderr: "" });
  expect(readdirSync(tmp)).toEqual([]);
});

test("fetch, with no change to the code, reaches the emulators; a foreign host fails the run and is named", async () => {
  const good = `const answer = await fetch("https://management.azure.com/subscriptions?api-version=2020-01-01"); process.stdout.write(String(answer.status));`;
  expect(await run(node(good), { env: quiet })).toMatchObject({ code: 0, stdout: "401" });
  const bad = await run(node(`${foreign}${foreign} process.exit(5)`), { env: quiet });
  expect(bad.code).toBe(70);
  expect(bad.stderr).toMatch(/tried to leave the machine \(the command itself ended with 5\)/);
  expect(bad.stderr).toMatch(/telemetry\.example\.com:443 +2 x +CONNECT/);
  expect(bad.stderr).toContain("--allow telemetry.example.com");
  const told = await run(["exec", "--no-egress-check", ...node(`${foreign} process.exit(5)`).slice(1)], { env: quiet });
  expect(told).toMatchObject({ code: 5, stderr: expect.stringContaining("telemetry.example.com:443") });
});

test("--allow lets a host through; it may be repeated", async () => {
  const allowed = [
    "exec",
    "--allow",
    "*.invalid",
    "--allow",
    "other.example",
    ...node('await fetch("https://nowhere.invalid/").catch(() => {});').slice(1),
  ];
  const finished = await run(allowed, { env: quiet });
  // Allowed, and refused for another reason: no DNS has such a name.
  expect(finished.stderr).toContain("nowhere.invalid does not resolve");
});

test("loopback stays direct: the application under test and its database are reached as ever", async () => {
  const server = createServer((_, outgoing) => void outgoing.end("mine")).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const source = `process.stdout.write(await (await fetch("http://localhost:${port}")).text())`;
  expect(await run(node(source), { env: quiet })).toMatchObject({ code: 0, stdout: "mine" });
});

test("real-looking credentials are replaced, by name, and said so", async () => {
  const finished = await run(node("process.stdout.write(JSON.stringify(process.env))"), {
    env: {
      ...quiet,
      AWS_ACCESS_KEY_ID: "AKIAREALREALREALREAL",
      AWS_PROFILE: "production",
      TWILIO_AUTH_TOKEN: "real",
      AWS_MAX_ATTEMPTS: "7",
      AWS_DEFAULT_REGION: "eu-west-1",
    },
  });
  const env = JSON.parse(finished.stdout) as Record<string, string>;
  expect(finished.stdout).not.toMatch(/AKIAREAL|production/);
  expect(env).toMatchObject({
    AWS_MAX_ATTEMPTS: "7",
    AWS_REGION: "eu-west-1",
    AWS_DEFAULT_REGION: "eu-west-1",
    NODE_USE_ENV_PROXY: "1",
    http_proxy: env.HTTPS_PROXY,
  });
  expect(env.TWILIO_AUTH_TOKEN).toMatch(/^[0-9a-f]{32}$/);
  expect(env).not.toHaveProperty("AWS_PROFILE");
  expect(finished.stderr).toContain("stand in for AWS_ACCESS_KEY_ID, TWILIO_AUTH_TOKEN.");
  expect(finished.stderr).toContain("Taken out of the command's environment: AWS_PROFILE.");
  expect(finished.stderr).not.toMatch(/AKIAREAL|production/);
  expect(existsSync(env.SSL_CERT_FILE ?? "")).toBe(false); // it went with the private folder
});

test("the bundle holds the system's authorities and the local one", async () => {
  const { stdout } = await run(["exec", "--", "sh", "-c", "cat $SSL_CERT_FILE; echo =====; cat $NODE_EXTRA_CA_CERTS"], {
    env: quiet,
  });
  const [bundle = "", extra = ""] = stdout.split("=====").map((part) => part.match(/BEGIN CERT/g)?.length);
  expect(bundle).toBeGreaterThan(50);
  expect(extra).toBe(1);
});

test.each([
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
] as const)("%s reaches the command, and its own way to end counts", async (signal) => {
  const source = `process.on("${signal}", () => { process.stdout.write("stopping\\n"); setTimeout(() => process.exit(9), 50); }); process.stdout.write("started\\n"); setInterval(() => {}, 1000);`;
  const running = start(node(source), { env: quiet });
  expect(await running.line()).toBe("started");
  running.child.kill(signal);
  expect(await running.finished).toMatchObject({ code: 9, stdout: "started\nstopping\n" });
});

test("a command that dies by a signal, is missing, or cannot be run", async () => {
  expect(await run(["exec", "--", "sh", "-c", "kill -KILL $$"], { env: quiet })).toMatchObject({ code: 137 });
  expect(await run(["exec", "--", "no-such-command-here"], { env: quiet })).toMatchObject({
    code: 127,
    stderr: expect.stringContaining("no-such-command-here cannot be run"),
  });
  expect(await run(["exec", "--", tmpdir()], { env: quiet })).toMatchObject({ code: 126 });
});

test.each([
  [["exec"], "Say what to run after --"],
  [["exec", "--"], "Say what to run after --"],
  [["exec", "npm", "test"], "backlot exec -- npm test"],
  [["exec", "--json", "--", "true"], "does not take --json"],
  [["exec", "--sandbox", "--allow", "a.example", "--", "true"], "exclude each other"],
  [["up", "--", "x"], "backlot up takes no --"],
])("%j is refused with the help text", async (args, said) => {
  expect(await run(args)).toMatchObject({ code: 2, stderr: expect.stringContaining(said) });
});

test("--evidence leaves a pack that verifies: what was asked, what tried to leave, how the command ended", async () => {
  const folder = join(temporaryFolder(), "pack");
  const source = `
    const authorization = "Basic " + btoa(process.env.TWILIO_ACCOUNT_SID + ":" + process.env.TWILIO_AUTH_TOKEN);
    const url = "https://api.twilio.com/2010-04-01/Accounts/" + process.env.TWILIO_ACCOUNT_SID + "/Messages.json";
    const body = new URLSearchParams({ To: "+12025550199", From: process.env.TWILIO_PHONE_NUMBER, Body: "for the record" });
    const sent = await fetch(url, { method: "POST", headers: { authorization }, body });
    process.stdout.write(String(sent.status));
    ${foreign}
    process.exit(5);`;
  const finished = await run(["exec", "--evidence", folder, ...node(source).slice(1)], { env: quiet });
  expect(finished).toMatchObject({ code: 70, stdout: "201" });
  expect(finished.stderr).toMatch(/Evidence of this run: .*pack \(fingerprint [0-9a-f]{64}\)/);
  const read = (path: string) => readFileSync(join(folder, path), "utf8");
  expect(read("http/twilio.har")).toContain("for the record");
  expect(read("http/twilio.har")).toContain("https://api.twilio.com/2010-04-01/Accounts/");
  expect(read("egress/ledger.jsonl")).toMatch(/"target":"telemetry.example.com:443","verdict":"refused"/);
  expect(read("tests/junit.xml")).toContain("ended with 5");
  expect(await run(["evidence", "verify", folder])).toMatchObject({ code: 0 });
  // A pack is never written over, and a run that could leave none does not begin.
  const again = await run(["exec", "--evidence", folder, ...node("process.stdout.write('ran')").slice(1)], {
    env: quiet,
  });
  expect(again).toMatchObject({ code: 1, stdout: "", stderr: expect.stringContaining("is already there") });
}, 60_000);

test("npm's own look for a newer npm does not fail a clean run; without its switch it would", async () => {
  const folder = temporaryFolder();
  const list = (cache: string, ...before: string[]) =>
    run(["exec", "--only", "smtp", "--", ...before, "npm", "ls"], {
      cwd: folder,
      env: { ...quiet, HOME: folder, npm_config_cache: join(folder, cache) },
    });
  expect(await list("one")).toMatchObject({ code: 0, stderr: "" });
  const switchedOn = await list("two", "env", "-u", "NO_UPDATE_NOTIFIER", "-u", "npm_config_update_notifier");
  expect(switchedOn).toMatchObject({ code: 70, stderr: expect.stringContaining("registry.npmjs.org:443") });
}, 60_000);

test("an entry of --allow that cannot be used ends with 1 and leaves nothing", async () => {
  const tmp = temporaryFolder();
  const finished = await run(["exec", "--allow", "10.0.0.0/40", "--", "true"], { env: { ...quiet, TMPDIR: tmp } });
  expect(finished).toMatchObject({ code: 1, stderr: expect.stringContaining("10.0.0.0/40 cannot be used") });
  expect(readdirSync(tmp)).toEqual([]);
});

test("real mode starts nothing: 78 with hints, or the same command with its environment untouched", async () => {
  const missing = await run(node("process.exit(0)"), {
    env: { ...quiet, USE_REAL_DATA: "true", TWILIO_ACCOUNT_SID: "ACsecret" },
  });
  expect(missing.code).toBe(78);
  expect(missing.stderr).toMatch(/asked for by USE_REAL_DATA=true/);
  expect(missing.stderr).toMatch(/TWILIO_AUTH_TOKEN, TWILIO_PHONE_NUMBER not set/);
  expect(missing.stderr).toContain("AWS_REGION=us-east-1");
  expect(missing.stderr).not.toContain("ACsecret");
  const real = {
    BACKLOT_MODE: "real",
    BACKLOT_ONLY: "ec2-spot",
    AWS_ACCESS_KEY_ID: "AKIAREALREALREALREAL",
    AWS_SECRET_ACCESS_KEY: "s",
    AWS_REGION: "eu-west-1",
  };
  const finished = await run(node("process.stdout.write(JSON.stringify(process.env)); process.exit(4)"), {
    env: { ...quiet, ...real },
  });
  expect(finished).toMatchObject({ code: 4, stderr: "" });
  expect(JSON.parse(finished.stdout)).toMatchObject(real);
  expect(JSON.parse(finished.stdout)).not.toHaveProperty("HTTPS_PROXY");
});

const unshare = spawnSync("unshare", ["--net", "--map-root-user", "true"], { encoding: "utf8" });
const shut = unshare.status !== 0 && `no network namespace can be made (${unshare.stderr || unshare.error?.message})`;

testUnless(shut, "--sandbox stops what ignores proxies as well", async () => {
  const source = `
    import { connect } from "node:net";
    const way = await new Promise((resolve) => connect(443, "192.0.2.1").once("error", (cause) => resolve(cause.code)).once("connect", () => resolve("connected")));
    const twilio = await fetch("https://api.twilio.com/2010-04-01/Accounts.json");
    process.stdout.write(JSON.stringify([way, twilio.status]));
    process.exit(6);`;
  const finished = await run(["exec", "--sandbox", ...node(source).slice(1)], { env: quiet });
  expect(finished.code, finished.stderr).toBe(6);
  const [way, status] = JSON.parse(finished.stdout) as [string, number];
  expect(way).toBe("ENETUNREACH");
  expect(status).toBeLessThan(500);

  const out = temporaryFolder();
  const story = join(packageRoot(), "fixtures", "scenarios", "real-mode-refused.yaml");
  const recorded = await run(["evidence", "record", "--sandbox", "--scenario", story, "--out", out, "--name", "pack"]);
  expect(recorded).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(readFileSync(join(out, "pack", "egress", "proof.json"), "utf8"))).toMatchObject({
    process: { verdict: "connected to loopback only" },
    sandbox: {
      verdict: "in a network namespace with loopback only",
      canary: "a connection to 192.0.2.1:443: ENETUNREACH",
    },
  });
});

test("a mark of the sandbox outside of one releases no canary, which would leave the machine", async () => {
  const out = temporaryFolder();
  const story = join(packageRoot(), "fixtures", "scenarios", "real-mode-refused.yaml");
  const record = ["evidence", "record", "--scenario", story, "--out", out, "--name", "pack"];
  expect(await run(record, { env: { [sandboxMark]: "1" } })).toMatchObject({ code: 0, stderr: "" });
  const { sandbox } = JSON.parse(readFileSync(join(out, "pack", "egress", "proof.json"), "utf8"));
  // A machine that has loopback alone is as good as a sandbox.
  if (waysOut().length > 0) expect(sandbox).toEqual({ verdict: "asked for, and there is a way out of it" });
  else expect(sandbox).toMatchObject({ verdict: "in a network namespace with loopback only" });
});

test("a mark of the sandbox outside of one does not stand for the sandbox", async () => {
  if (waysOut().length === 0) return; // such a machine is as good as one
  const marked = { env: { ...quiet, [sandboxMark]: "1" } };
  const { code, stdout, stderr } = await run(
    ["exec", "--sandbox", ...node("process.stdout.write('ran')").slice(1)],
    marked,
  );
  expect([code, stdout]).toEqual([78, ""]);
  expect(stderr).toContain(`${sandboxMark} says that this is the inside of a sandbox, but ${waysOut()[0]}`);
});

test("--sandbox runs nothing where there is no unshare, and says so", async () => {
  const PATH = temporaryFolder();
  const finished = await run(["exec", "--sandbox", ...node("process.stdout.write('ran')").slice(1)], { env: { PATH } });
  expect(finished).toMatchObject({ code: 78, stdout: "", stderr: expect.stringContaining("--sandbox cannot be had") });
});

test("the environment of a run: what is told apart, without starting anything", () => {
  const seeded = {
    AWS_ACCESS_KEY_ID: "AKIASEEDED",
    AWS_REGION: "us-east-1",
    AWS_DEFAULT_REGION: "us-east-1",
    HTTPS_PROXY: "http://p",
    AZURE_AUTHORITY_HOST: "https://127.0.0.1:1",
  };
  const inherited = {
    PATH: "/bin",
    AWS_SESSION_TOKEN: "t",
    AWS_ENDPOINT_URL_S3: "http://minio",
    AWS_ENDPOINT_URL_FIS: "http://x",
    ALL_PROXY: "socks",
    TWILIO_EDGE: "sydney",
    AZURE_CONFIG_DIR: "/home/me/.azure",
    GITHUB_TOKEN: "kept",
  };
  const { variables, replaced, removed } = runEnvironment(inherited, seeded, "/run");
  expect(removed).toEqual(["ALL_PROXY", "AWS_ENDPOINT_URL_FIS", "AWS_SESSION_TOKEN", "TWILIO_EDGE"]);
  expect(replaced).toEqual(["AZURE_CONFIG_DIR"]);
  expect(variables).toMatchObject({
    PATH: "/bin",
    GITHUB_TOKEN: "kept",
    AWS_ENDPOINT_URL_S3: "http://minio",
    AZURE_CONFIG_DIR: "/run/azure",
    AZURE_CORE_COLLECT_TELEMETRY: "false",
    TWILIO_SKIP_NEW_VERSION_CHECK: "true",
  });
  // Unmodified clients use the public authority; the gateway leads it here.
  expect(variables).not.toHaveProperty("AZURE_AUTHORITY_HOST");
});

test("trust says what the authority may sign and how each tool is told; --bundle writes the file", async () => {
  const folder = temporaryFolder();
  const env = { ...quiet, BACKLOT_CA_DIR: join(folder, "ca") };
  const { stdout } = await run(["trust"], { env });
  expect(stdout).toMatch(/fingerprint +SHA-256 ([0-9A-F]{2}:){31}[0-9A-F]{2}/);
  expect(stdout).toMatch(/may sign .*amazonaws\.com.*twilio\.com.*127\.0\.0\.0\/8/);
  expect(stdout).toContain("keytool -importcert");
  expect(await run(["trust", "--init"], { env })).toMatchObject({
    code: 0,
    stdout: `${join(folder, "ca", "ca.pem")}\n`,
  });
  expect(await run(["trust", "--bundle", join(folder, "all.pem")], { env })).toMatchObject({
    code: 0,
    stdout: `${join(folder, "all.pem")}\n`,
  });
  expect(readFileSync(join(folder, "all.pem"), "utf8")).toContain(
    readFileSync(join(folder, "ca", "ca.pem"), "utf8").trim(),
  );
});

test("doctor looks at a running suite or starts a private one, and says what to do for each red line", async () => {
  const folder = temporaryFolder();
  const env = { ...quiet, TMPDIR: folder, BACKLOT_CA_DIR: join(folder, "ca") };
  const healthy = await run(["doctor"], { env: { ...env, BACKLOT_PORT: "9" } });
  for (const title of ["gateway", "Twilio", "Azure", "EC2 and STS", "IMDS", "SMTP", "certificates", "leftovers"])
    expect(healthy.stdout).toMatch(new RegExp(`^ok +${title} `, "m"));
  const taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  onTestFinished(() => void taken.close());
  const { port } = taken.address() as AddressInfo;
  mkdirSync(join(folder, "backlot-exec-999999999-x"));
  const sick = await run(["doctor"], {
    env: { ...env, BACKLOT_PORT: "9", BACKLOT_TWILIO_PORT: String(port), BACKLOT_MODE: "real" },
  });
  expect(sick.code).toBe(1);
  expect(sick.stdout).toMatch(/^WRONG +ports +BACKLOT_TWILIO_PORT=\d+: another program/m);
  expect(sick.stdout).toMatch(/^WRONG +mode +real/m);
  expect(sick.stdout).toMatch(/-> rm -r .*backlot-exec-999999999-x/);
});
