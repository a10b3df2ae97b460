/** What a step of a scenario does. Each answers what `expect` and `save` look at, or throws what went wrong. */
import { createHash } from "node:crypto";
import type { Suite } from "../../suite.ts";
import { sendMail } from "./mail-client.ts";
import type { Receivers } from "./receivers.ts";
import type { Step } from "./schema.ts";
import type { SignIn } from "./sign-in.ts";

export interface Stage {
  readonly suite: Suite;
  readonly receivers: Receivers;
  readonly signIn: SignIn;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Orders what is recorded: clients that run at once arrive in any order, their steps do not. */
export const stepHeader = "x-backlot-step";

type Part<Name extends keyof Step> = NonNullable<Step[Name]>;

export async function perform(step: Step, order: string, stage: Stage): Promise<Answer | undefined> {
  if (step.http) return request(step.http, order, stage);
  if (step.control) return control(step.control, stage);
  if (step.mail) return mail(step.mail, stage);
  const outside = ofOutside(step, stage.suite);
  if (outside) return "surface" in outside ? request(outside, order, stage) : expectOk(await control(outside, stage));
  if (step.fault) return expectOk(await toAnswer(await stage.suite.control("POST", "/_backlot/faults", step.fault)));
  if (step.mode)
    return expectOk(await toAnswer(await stage.suite.control("PUT", "/_backlot/mode", { mode: step.mode })));
  if (step.advance) {
    const { ms = 0, seconds = 0, minutes = 0, hours = 0, days = 0 } = step.advance;
    await stage.suite.clock.advance({ ms, seconds, minutes, hours, days });
  } else if (step.receiver) {
    const { name, answer, secret } = step.receiver;
    if (answer !== undefined) stage.receivers.answer(name, answer);
    if (secret !== undefined) stage.receivers.demand(name, secret, stage.suite.clock.now);
  } else if (step.received) checkReceived(step.received, stage.receivers);
  return undefined;
}

/** What the world outside does, as the requests by which it is done here. */
function ofOutside(
  { inbound, interrupt, change, replay }: Step,
  { env }: Suite,
): Part<"http"> | Part<"control"> | undefined {
  const post = (service: string, path: string, json: Record<string, unknown>): Part<"control"> => ({
    service,
    method: "POST",
    path,
    json: JSON.parse(JSON.stringify(json)),
  });
  if (inbound) return post("twilio", "/_backlot/twilio/inbound-messages", { to: env.TWILIO_PHONE_NUMBER, ...inbound });
  if (interrupt) return post("ec2-spot", "/_backlot/ec2-spot/interrupt", interrupt);
  if (replay) {
    const { service, endpoint } = replay;
    return post(service, "/_backlot/dead-letters/replay", { endpoint });
  }
  if (!change) return undefined;
  const { resource, location, properties, tags } = change;
  return {
    service: "azure-policyinsights",
    surface: "api",
    method: location === undefined ? "PATCH" : "PUT",
    path: `${resource}?api-version=2023-01-01`,
    auth: "seeded",
    headers: {},
    json: JSON.parse(JSON.stringify({ location, properties, tags })),
  };
}

function baseOf({ services }: Suite, service: string, surface: "api" | "metadata"): string {
  if (surface === "metadata") {
    const { imdsUrl } = services["ec2-spot"] ?? {};
    if (service !== "ec2-spot" || imdsUrl === undefined) throw new Error(`${service} has no metadata service here`);
    return imdsUrl;
  }
  const found = {
    twilio: services.twilio?.url,
    "azure-policyinsights": services["azure-policyinsights"]?.httpUrl,
    "ec2-spot": services["ec2-spot"]?.url,
    smtp: services.smtp?.url,
  }[service];
  if (!found) throw new Error(`${service} is not part of this suite`);
  return found;
}

async function request(http: Part<"http">, order: string, { suite, signIn }: Stage): Promise<Answer> {
  const { service, surface, method, path, form, json } = http;
  const body =
    form !== undefined ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
  const type = form !== undefined ? "application/x-www-form-urlencoded" : "application/json";
  const response = await fetch(baseOf(suite, service, surface) + path, {
    method,
    redirect: "manual",
    headers: {
      ...(http.auth === "seeded" ? await signIn.headers(service) : {}),
      ...(body === undefined ? {} : { "content-type": type }),
      ...http.headers,
      [stepHeader]: order,
    },
    ...(body === undefined ? {} : { body }),
  });
  return toAnswer(response);
}

async function control({ service, method, path, json }: Part<"control">, { suite }: Stage): Promise<Answer> {
  const member = suite.members.find(({ name }) => name === service);
  if (service !== "suite" && !member) throw new Error(`${service} is not part of this suite`);
  return toAnswer(await (member ? member.request(method, path, json) : suite.control(method, path, json)));
}

async function mail(letter: Part<"mail">, { suite }: Stage): Promise<Answer> {
  const server = suite.services.smtp;
  if (!server) throw new Error("smtp is not part of this suite");
  const { from, to, subject, text, user } = letter;
  const date = new Date(suite.clock.now()).toUTCString().replace("GMT", "+0000");
  const key = createHash("sha256")
    .update(JSON.stringify([from, to, subject, text, date]))
    .digest("hex")
    .slice(0, 24);
  const message = [
    `From: <${from}>`,
    `To: ${to.map((one) => `<${one}>`).join(", ")}`,
    `Subject: ${subject}`,
    `Date: ${date}`,
    `Message-ID: <${key}@scenario.backlot.test>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    ...text.replace(/\n$/, "").split("\n"),
  ].join("\r\n");
  const reply = await sendMail(server.host, server.port, { from, to, user, message });
  if (reply.code !== letter.code) throw new Error(`the server answered ${reply.text}, not ${letter.code}`);
  return { status: reply.code, headers: new Headers(), body: reply.text };
}

function checkReceived(wanted: Part<"received">, receivers: Receivers): void {
  const calls = receivers.calls(wanted.receiver);
  const accepted = calls.filter(({ answered }) => answered < 300);
  const say = (what: string, found: unknown, expected: unknown) => {
    if (JSON.stringify(found) !== JSON.stringify(expected))
      throw new Error(`${wanted.receiver} ${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`);
  };
  const field = (body: string, name: string) => new URLSearchParams(body).get(name) ?? "";
  if (wanted.calls !== undefined) say("was called", calls.length, wanted.calls);
  if (wanted.accepted !== undefined) say("accepted", accepted.length, wanted.accepted);
  const { distinct, fields } = wanted;
  if (distinct) {
    const values = accepted.map(({ headers, body }) =>
      distinct.field === undefined ? String(headers[distinct.header ?? "webhook-id"]) : field(body, distinct.field),
    );
    say("accepted distinct", new Set(values).size, distinct.count);
  }
  if (fields)
    say(
      `heard ${fields.name}`,
      accepted.map(({ body }) => field(body, fields.name)),
      fields.values,
    );
}

async function toAnswer(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, body: await response.text() };
}

function expectOk(answer: Answer): Answer {
  if (answer.status >= 300) throw new Error(`the control API answered ${answer.status}: ${answer.body.slice(0, 500)}`);
  return answer;
}
