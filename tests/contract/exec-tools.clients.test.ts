/** Scripts that know nothing of Backlot, for Python, curl, aws and az as Debian packages them, run by `backlot exec`. */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";
import { run } from "../support/command.ts";
import { serveNamed } from "../support/forged-leaf.ts";
import { type Tool, testWith } from "../support/tools.ts";

const script = (name: string) => join(packageRoot(), "tests/contract/clients/exec", name);
const python = (module: string, debian: string): Tool => ({
  name: `Python's ${module}`,
  package: debian,
  commands: ["/usr/bin/python3", "python3"],
  probe: ["-c", `import ${module}`],
});
const tool = (name: string, debian: string): Tool => ({
  name,
  package: debian,
  commands: [`/usr/bin/${name}`, name],
  probe: ["--version"],
});

async function exec(...command: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(["exec", "--", ...command]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

testWith(python("twilio", "python3-twilio"), "python: twilio", async (command) => {
  expect(JSON.parse(await exec(command, script("twilio_client.py")))).toMatchObject({
    sid: expect.stringMatching(/^SM/),
    status: "queued",
    listed: expect.any(Number),
  });
});
testWith(python("boto3", "python3-boto3"), "python: boto3", async (command) => {
  expect(JSON.parse(await exec(command, script("aws_client.py")))).toMatchObject({
    account: expect.stringMatching(/^\d{12}$/),
    price: expect.stringMatching(/^0\.\d{6}$/),
  });
});
testWith(python("azure.mgmt.policyinsights", "python3-azure"), "python: azure-mgmt-policyinsights", async (command) => {
  expect(JSON.parse(await exec(command, script("azure_client.py")))).toEqual({ states: 2500 });
});
testWith(python("azure.mgmt.resourcegraph", "python3-azure"), "python: azure's management clients", async (command) => {
  const flows = JSON.parse(await exec(command, script("azure_flows.py")));
  expect(flows).toMatchObject({
    remediation: "Accepted",
    columns: ["PreTaxCost", "UsageDate", "Currency"],
    subscriptions: 3,
  });
  expect(flows.failing).toBe(flows.summary);
  expect(flows.graph).toBe(flows.grouped);
});
testWith(python("smtplib", "python3"), "python: smtplib", async (command) => {
  expect(JSON.parse(await exec(command, script("mail_client.py")))).toEqual({ refused: 0 });
});
testWith(tool("curl", "curl"), "curl", async () => {
  expect(await exec("sh", script("curl.sh"))).toBe("201\n");
});
testWith(tool("aws", "awscli"), "aws", async (command) => {
  expect(await withPath(command, "aws.sh")).toMatch(/^\d{12}\n0\.\d{6}\n$/);
});
testWith(tool("az", "azure-cli"), "az: sign-in as a service principal, policy states", async (command) => {
  expect(await withPath(command, "az.sh")).toBe("5\n");
});

testWith(tool("az", "azure-cli"), "az: assignments, definitions, states, remediation, resources", async (command) => {
  expect((await withPath(command, "az_flows.sh")).trimEnd().split("\n")).toEqual([
    "SecurityCenterBuiltIn",
    "BuiltIn",
    expect.stringMatching(/^[5-9]$/),
    "Accepted",
    "2",
    "55",
    "3300",
    "My own",
    "36",
    "36",
  ]);
});

/** The script finds the very tool that was looked for, before any other of its name. */
function withPath(command: string, name: string): Promise<string> {
  return command.startsWith("/")
    ? exec("env", `PATH=${dirname(command)}:${process.env.PATH}`, "sh", script(name))
    : exec("sh", script(name));
}

const reportHome = `
import runpy, sys, urllib.request
runpy.run_path(sys.argv[1], run_name="__main__")
try:
    urllib.request.urlopen("https://telemetry.example.com/v1/events", data=b"{}", timeout=5)
except OSError:
    pass
`;
const sh = (name: string, line: string) => (command: string) => [
  ...(command.startsWith("/") ? ["env", `PATH=${dirname(command)}:${process.env.PATH}`] : []),
  ...["sh", "-c", `. "$0" && { ${line} || true; }`, script(name)],
];
const py = (name: string) => (command: string) => [command, "-c", reportHome, script(name)];

// The same scripts with one line more; aws and az report home by themselves, each in its own way.
for (const [name, needed, command, host] of [
  ["python: twilio", python("twilio", "python3-twilio"), py("twilio_client.py"), "telemetry.example.com"],
  ["python: boto3", python("boto3", "python3-boto3"), py("aws_client.py"), "telemetry.example.com"],
  [
    "python: azure-mgmt-policyinsights",
    python("azure.mgmt.policyinsights", "python3-azure"),
    py("azure_client.py"),
    "telemetry.example.com",
  ],
  ["python: smtplib", python("smtplib", "python3"), py("mail_client.py"), "telemetry.example.com"],
  [
    "curl",
    tool("curl", "curl"),
    sh("curl.sh", "curl -sS https://telemetry.example.com/v1/events -d '{}'"),
    "telemetry.example.com",
  ],
  ["aws", tool("aws", "awscli"), sh("aws.sh", "AWS_MAX_ATTEMPTS=1 aws s3 ls"), "s3.us-east-1.amazonaws.com"],
  [
    "az",
    tool("az", "azure-cli"),
    sh("az.sh", "az rest --skip-authorization-header --url https://telemetry.example.com/v1/events"),
    "telemetry.example.com",
  ],
] as const)
  testWith(
    needed,
    `${name}, with a line that leaves: its work done, exit 70, that host named and no other`,
    async (found) => {
      const { code, stdout, stderr } = await run(["exec", "--", ...command(found)]);
      expect(code, stderr).toBe(70);
      expect(stdout).not.toBe("");
      expect(stderr).toMatch(new RegExp(`^ {2}${host.replaceAll(".", "\\.")}:443 +\\d+ x +CONNECT`, "m"));
      expect(stderr.match(/^ {2}\S+:\d+ /gm)).toHaveLength(1);
    },
  );

const fetchWithPython = `
import ssl, sys, urllib.request, http.client
context = ssl.create_default_context(cafile=sys.argv[1])
class Led(http.client.HTTPSConnection):
    def connect(self):
        import socket
        self.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[3]))), server_hostname=sys.argv[2])
connection = Led(sys.argv[2], context=context)
try:
    connection.request("GET", "/")
    print(connection.getresponse().read().decode())
except ssl.SSLError as cause:
    print(cause.verify_message)
`;

// The constraints of the authority are the client's to enforce: each is asked.
for (const [name, trusted] of [
  ["api.twilio.com", true],
  ["example.com", false],
] as const) {
  testWith(python("ssl", "python3"), `python ${trusted ? "trusts" : "refuses"} a leaf for ${name}`, async (command) => {
    const { port, caPath } = await serveNamed(name);
    const { stdout } = await spawned(command, ["-c", fetchWithPython, caPath, name, String(port)]);
    expect(stdout).toContain(trusted ? "trusted" : "permitted subtree violation");
  });
  testWith(tool("curl", "curl"), `curl ${trusted ? "trusts" : "refuses"} a leaf for ${name}`, async (command) => {
    const { port, caPath } = await serveNamed(name);
    const { stdout, stderr } = await spawned(command, [
      "-sS",
      "--noproxy",
      "*",
      "--cacert",
      caPath,
      "--connect-to",
      `::127.0.0.1:${port}`,
      `https://${name}/`,
    ]);
    expect(stdout + stderr).toContain(trusted ? "trusted" : "permitted subtree violation");
  });
}

function spawned(command: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(command, args, (_, stdout, stderr) => resolve({ stdout, stderr }));
  });
}
