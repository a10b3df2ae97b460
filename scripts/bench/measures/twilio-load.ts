/** Servers that take Twilio's messages, put under the three loads. */
import { counterMark, type Plan } from "../load/plan.ts";
import { rawRequest } from "../load/request.ts";
import type { MetricName } from "../metrics.ts";
import { quiet } from "../server-process.ts";
import type { Bench } from "./measure.ts";

export interface TwilioSubject {
  readonly name: string;
  readonly pid: number;
  readonly url: string;
  readonly accountSid: string;
  readonly authToken: string;
  readonly from: string;
  /** False for floors that keep nothing: any message is as good as another. */
  readonly keeps: boolean;
}

export interface TwilioMetrics {
  readonly create: MetricName;
  readonly fetch: MetricName;
  /** Each time by another address: nothing that was answered before can be sent again. */
  readonly list: MetricName;
  /** By one address, as whoever waits for a message asks. */
  readonly listAgain: MetricName;
}

const connections = 16;
const listed = 50;

export type TwilioLoad = keyof TwilioMetrics;
export const twilioLoads: readonly TwilioLoad[] = ["create", "fetch", "list", "listAgain"];

/** One load after another, and each on all subjects in turn: what is compared is measured within seconds. */
export async function loadTwilio(
  { generators, readings }: Bench,
  subjects: readonly TwilioSubject[],
  metrics: TwilioMetrics,
  plan: Plan,
  loads: readonly TwilioLoad[] = twilioLoads,
): Promise<void> {
  const run = async (metric: MetricName, subject: TwilioSubject, requests: readonly string[], status: number) => {
    const port = Number(new URL(subject.url).port);
    const { perSecond } = await generators.http.run({ ...plan, port, connections, requests, status });
    readings.add(metric, subject.name, perSecond);
    await quiet(subject.pid); // what the life cycles of many messages still have to do
  };
  for (const load of loads)
    for (const subject of subjects) {
      if (load === "create") await run(metrics.create, subject, [creation(subject)], 201);
      else if (load === "fetch") await run(metrics.fetch, subject, await fetches(subject), 200);
      else await run(metrics[load], subject, [listing(subject, load === "list")], 200);
    }
}

/** At least as many messages as a list shows, for loads that create none. */
export async function fill({ generators }: Bench, subject: TwilioSubject, count = listed): Promise<void> {
  const port = Number(new URL(subject.url).port);
  const plan: Plan = {
    warmUp: { ms: 0, operations: 1 },
    measured: { ms: Number.POSITIVE_INFINITY, operations: count },
  };
  await generators.http.run({ ...plan, port, connections: 1, requests: [creation(subject)], status: 201 });
  await quiet(subject.pid);
}

function listing(subject: TwilioSubject, anew: boolean): string {
  const url = listOf(subject);
  if (anew) url.searchParams.set("Unseen", "number");
  const request = rawRequest({ method: "GET", url, headers: authorized(subject) });
  return request.replace("Unseen=number", `Unseen=${counterMark}`);
}

function creation(subject: TwilioSubject): string {
  const form = new URLSearchParams({ To: "+12025550110", From: subject.from, Body: "Your code is " });
  const headers = { ...authorized(subject), "content-type": "application/x-www-form-urlencoded" };
  return rawRequest({ method: "POST", url: messagesOf(subject), headers, body: `${form}${counterMark}` });
}

async function fetches(subject: TwilioSubject): Promise<readonly string[]> {
  const headers = authorized(subject);
  const sids = subject.keeps ? await newest(listOf(subject), headers) : [`SM${"0".repeat(32)}`];
  const base = messagesOf(subject).href.replace(/\.json$/, "");
  return sids.map((sid) => rawRequest({ method: "GET", url: new URL(`${base}/${sid}.json`), headers }));
}

function authorized({ accountSid, authToken }: TwilioSubject): Readonly<Record<string, string>> {
  return { authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}` };
}

function messagesOf({ accountSid, url }: TwilioSubject): URL {
  return new URL(`/2010-04-01/Accounts/${accountSid}/Messages.json`, url);
}

function listOf(subject: TwilioSubject): URL {
  return new URL(`?PageSize=${listed}`, messagesOf(subject));
}

async function newest(list: URL, headers: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const response = await fetch(list, { headers });
  const { messages } = (await response.json()) as { messages?: readonly { sid: string }[] };
  if (messages?.length !== listed) throw new Error(`${list} has ${messages?.length} messages, not ${listed}`);
  return messages.map(({ sid }) => sid);
}
