/** One call per service, as its official client makes it; what it answers is one line. */
import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { request as tlsRequest } from "node:https";
import type { Socket } from "node:net";
import { connect } from "node:tls";
import { createClock } from "../../kernel/clock.ts";

type Environment = Readonly<Record<string, string>>;

export interface Probe {
  readonly title: string;
  /** Variables without which the service does not run. */
  readonly needs: readonly string[];
  readonly probe: (environment: Environment) => Promise<string>;
  readonly fix: string;
}

const logs = "see GET /_backlot/health and the log of the suite";

export const probes: readonly Probe[] = [
  {
    title: "gateway",
    needs: ["HTTPS_PROXY"],
    probe: gateway,
    fix: "set BACKLOT_PROXY_PORT; a program between may filter the port",
  },
  { title: "Twilio", needs: ["BACKLOT_TWILIO_URL"], probe: twilio, fix: logs },
  { title: "Azure", needs: ["BACKLOT_AZURE_URL"], probe: azure, fix: logs },
  { title: "EC2 and STS", needs: ["AWS_ENDPOINT_URL"], probe: aws, fix: logs },
  { title: "IMDS", needs: ["AWS_EC2_METADATA_SERVICE_ENDPOINT"], probe: metadata, fix: logs },
  { title: "SMTP", needs: ["SMTP_HOST", "MAIL_URL"], probe: mail, fix: logs },
];

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Node's own client: unlike fetch it takes an authority per request, and no proxy comes between. */
function call(
  url: string,
  options: {
    readonly method?: string;
    readonly headers?: Record<string, string>;
    readonly body?: string;
    readonly ca?: string;
  },
): Promise<Answer> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const open = url.startsWith("https:") ? tlsRequest : request;
    const sent = open(
      url,
      { ...rest, agent: false, timeout: 5_000 },
      (response) => void collect(response).then(resolve, reject),
    );
    sent.on("timeout", () => sent.destroy(new Error(`${url} did not answer within 5 s`)));
    sent.on("error", reject);
    sent.end(body);
  });
}

async function collect(response: IncomingMessage): Promise<Answer> {
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

async function expectStatus(wanted: number, answer: Promise<Answer>): Promise<string> {
  const { status, text } = await answer;
  if (status !== wanted) throw new Error(`answered ${status} instead of ${wanted}: ${text.slice(0, 200)}`);
  return text;
}

const authorityOf = (environment: Environment) => readFileSync(environment.SSL_CERT_FILE ?? "", "utf8");

/** CONNECT, TLS under the local authority, one request: what an unmodified client does. */
async function gateway(environment: Environment): Promise<string> {
  const proxy = new URL(environment.HTTPS_PROXY ?? "");
  const host = "api.twilio.com";
  const socket = await new Promise<Socket>((resolve, reject) => {
    const sent = request({
      host: proxy.hostname,
      port: proxy.port,
      method: "CONNECT",
      path: `${host}:443`,
      agent: false,
      timeout: 5_000,
    });
    sent.on("connect", (response, tunnel) =>
      response.statusCode === 200 ? resolve(tunnel) : reject(new Error(`CONNECT answered ${response.statusCode}`)),
    );
    sent.on("timeout", () => sent.destroy(new Error(`${proxy.host} did not answer within 5 s`)));
    sent.on("error", reject);
    sent.end();
  });
  const secure = connect({ socket, servername: host, ca: authorityOf(environment) });
  await new Promise((resolve, reject) => secure.once("secureConnect", resolve).once("error", reject));
  const issuer = secure.getPeerCertificate().issuer.CN;
  secure.destroy();
  return `${proxy.origin} leads to ${host}, whose certificate "${issuer}" signed`;
}

async function twilio(environment: Environment): Promise<string> {
  const { TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token, BACKLOT_TWILIO_URL: url } = environment;
  const authorization = `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}`;
  await expectStatus(
    200,
    call(`${url}/2010-04-01/Accounts/${sid}/Messages.json?PageSize=1`, { headers: { authorization } }),
  );
  return `${url} lists messages of ${sid}`;
}

async function azure(environment: Environment): Promise<string> {
  const {
    AZURE_TENANT_ID: tenant,
    AZURE_CLIENT_ID: id,
    AZURE_CLIENT_SECRET: secret,
    BACKLOT_AZURE_URL: url,
  } = environment;
  const ca = authorityOf(environment);
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: id ?? "",
    client_secret: secret ?? "",
    scope: "https://management.azure.com/.default",
  }).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  const signedIn = await expectStatus(
    200,
    call(`${url}/${tenant}/oauth2/v2.0/token`, { method: "POST", headers, body, ca }),
  );
  const authorization = `Bearer ${(JSON.parse(signedIn) as { access_token: string }).access_token}`;
  await expectStatus(200, call(`${url}/subscriptions?api-version=2020-01-01`, { headers: { authorization }, ca }));
  return `${url} signs in ${id} and lists its subscriptions`;
}

async function aws(environment: Environment): Promise<string> {
  const url = environment.AWS_ENDPOINT_URL ?? "";
  const body = "Action=GetCallerIdentity&Version=2011-06-15";
  const text = await expectStatus(
    200,
    call(`${url}/`, { method: "POST", body, headers: signed(environment, new URL(url).host, body) }),
  );
  return `${url} takes a signature of ${/<Arn>(.*?)<\/Arn>/.exec(text)?.[1] ?? "its key"}`;
}

/** Signature Version 4 of one POST to / (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html). */
function signed(environment: Environment, host: string, body: string): Record<string, string> {
  const {
    AWS_ACCESS_KEY_ID: key = "",
    AWS_SECRET_ACCESS_KEY: secret = "",
    AWS_REGION: region = "us-east-1",
  } = environment;
  const time = new Date(createClock({ mode: "real" }, 1).wall()).toISOString().replace(/[-:]|\.\d+/g, "");
  const hash = (text: string) => createHash("sha256").update(text).digest("hex");
  const keyed = (by: string | Buffer, text: string) => createHmac("sha256", by).update(text).digest();
  const scope = `${time.slice(0, 8)}/${region}/sts/aws4_request`;
  const type = "application/x-www-form-urlencoded";
  const names = "content-type;host;x-amz-date";
  const canonical = [
    "POST",
    "/",
    "",
    `content-type:${type}`,
    `host:${host}`,
    `x-amz-date:${time}`,
    "",
    names,
    hash(body),
  ].join("\n");
  const signing = scope.split("/").reduce<string | Buffer>(keyed, `AWS4${secret}`);
  const signature = keyed(signing, `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(canonical)}`).toString("hex");
  return {
    "content-type": type,
    "x-amz-date": time,
    authorization: `AWS4-HMAC-SHA256 Credential=${key}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

async function metadata(environment: Environment): Promise<string> {
  const url = environment.AWS_EC2_METADATA_SERVICE_ENDPOINT ?? "";
  const headers = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
  const { status } = await call(`${url}/latest/api/token`, { method: "PUT", headers });
  if (status >= 500) throw new Error(`answered ${status}`);
  return `${url} answers${status === 200 ? " and gives out a session token" : "; no instance runs"}`;
}

/** A mail there and back again: nodemailer hands it in, the mailbox shows it, and it is taken away. */
async function mail(environment: Environment): Promise<string> {
  const { createTransport } = await import("nodemailer");
  const { SMTP_HOST: host, SMTP_PORT: port, SMTP_USER: user, SMTP_PASSWORD: pass, MAIL_URL: url } = environment;
  const transport = createTransport({
    host,
    port: Number(port),
    ignoreTLS: true,
    ...(user === undefined ? {} : { auth: { user, pass } }),
  });
  const messageId = `<doctor-${process.pid}@backlot.test>`;
  await transport.sendMail({
    from: "doctor@backlot.test",
    to: "doctor@backlot.test",
    subject: "backlot doctor",
    text: "A test.",
    messageId,
  });
  transport.close();
  const found = await expectStatus(200, call(`${url}/api/v2/search?kind=to&query=doctor@backlot.test`, {}));
  const { items } = JSON.parse(found) as { items: { ID: string; Content: { Headers: Record<string, string[]> } }[] };
  const item = items.find(
    ({ Content }) =>
      Content.Headers["Message-ID"]?.includes(messageId) ?? Content.Headers["Message-Id"]?.includes(messageId),
  );
  if (!item) throw new Error("the mail was accepted and is not in the mailbox");
  await expectStatus(200, call(`${url}/api/v1/messages/${encodeURIComponent(item.ID)}`, { method: "DELETE" }));
  return `${host}:${port} takes a mail, ${url} shows it`;
}
