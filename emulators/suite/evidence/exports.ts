/** State of the services as their own APIs show it, asked for after the journal was read. */

import { basename } from "node:path";
import { type Instant, isoMilliseconds } from "../../kernel/clock.ts";
import type { Suite } from "../suite.ts";
import { type Artefact, artefact, described } from "./artefact.ts";
import { canonicalJson, compareText } from "./canonical.ts";
import { jsonListFile, listed } from "./json-list.ts";
import type { PackWriter } from "./pack.ts";
import type { Redactor } from "./redact.ts";
import { clientEnvironment } from "./run-facts.ts";
import { createSignIn, type SignIn } from "./scenario/sign-in.ts";
import { sortedTexts } from "./sorted-texts.ts";

/** What could not be exported is said instead of being left out in silence. */
export interface Exports {
  readonly artefacts: readonly Artefact[];
  readonly missing: readonly string[];
}

type Client = Pick<Suite, "services" | "clock" | "env">;

export interface ExportInput {
  readonly redactor: Redactor;
  readonly places: (text: string) => string;
  /** When the run began. */
  readonly since: Instant;
}

export async function exportState(
  pack: PackWriter,
  suite: Suite,
  { redactor, places, since }: ExportInput,
): Promise<Exports> {
  const artefacts: Artefact[] = [];
  const missing: string[] = [];
  const env = await clientEnvironment(suite);
  const client = { services: suite.services, clock: suite.clock, env };
  const signIn = createSignIn(new Map(Object.entries(env).map(([name, value]) => [`env.${name}`, value])));
  const clean = (text: string) => redactor.text(places(text));
  const add = (path: string, about: string, text: string): void => {
    artefacts.push(artefact(path, about, clean(text)));
  };
  const way = { client, signIn, clean, since };
  const attempts: readonly (readonly [service: string, work: () => Promise<void>])[] = [
    [
      "twilio",
      () => writeTwilio(pack, { ...way, about: described("sms/messages.json", "Messages of the run by sid") }),
    ],
    ["twilio", () => writeTwilio(pack, { ...way, about: described("calls/calls.json", "Calls of the run by sid") })],
    [
      "azure-policyinsights",
      async () => {
        const ask = (path: string, method?: string) => policyInsights(client, signIn, path, method);
        const summary = await ask("policyStates/latest/summarize", "POST");
        add("policy/summary.json", "Compliance by policy", canonicalJson(summary));
        const { value } = (await ask("remediations")) as { readonly value: readonly unknown[] };
        if (value.length > 0)
          add("policy/remediations.json", "Remediations of the subscription by id", canonicalJson(value));
      },
    ],
    [
      "ec2-spot",
      async () => {
        const end = client.clock.now();
        const history = {
          "InstanceType.1": "m5.large",
          "ProductDescription.1": "Linux/UNIX",
          StartTime: isoMilliseconds((end - dayMs) as Instant),
          EndTime: isoMilliseconds(end),
        };
        const ec2 = (action: string, parameters = {}) => describe(client, signIn, { Action: action, ...parameters });
        add("spot/prices.xml", "Spot prices of a day before the end", await ec2("DescribeSpotPriceHistory", history));
        const requests = await ec2("DescribeSpotInstanceRequests");
        add("spot/requests.xml", "Spot requests by id", byId(requests, "spotInstanceRequestId"));
        add("spot/instances.xml", "Instances by reservation", byId(await ec2("DescribeInstances"), "reservationId"));
      },
    ],
  ];
  for (const [service, work] of attempts) {
    if (!suite.members.some(({ name }) => name === service)) continue;
    try {
      await work();
    } catch (cause) {
      missing.push(`${service}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  return { artefacts, missing };
}

interface TwilioList {
  readonly client: Client;
  readonly signIn: SignIn;
  readonly clean: (text: string) => string;
  /** The file, which is named like the list: messages.json, calls.json. */
  readonly about: ReturnType<typeof described>;
  /** Leaves out what was there before: an account is seeded with hundreds of messages and calls. */
  readonly since: Instant;
}

async function writeTwilio(
  pack: PackWriter,
  { client: { services, env }, signIn, clean, about, since }: TwilioList,
): Promise<void> {
  const name = basename(about.path, ".json");
  const base = services.twilio?.url ?? "";
  const texts = sortedTexts<undefined>();
  try {
    // As few requests as can be: a scenario may have set a limit.
    let next: unknown = `/2010-04-01/Accounts/${env.TWILIO_ACCOUNT_SID}/${name[0]?.toUpperCase()}${name.slice(1)}.json?PageSize=1000`;
    while (typeof next === "string") {
      const answer = await asked(base + next, { headers: await signIn.headers("twilio") });
      const view = JSON.parse(answer) as Record<string, unknown>;
      for (const one of view[name] as readonly Record<string, unknown>[])
        if (Date.parse(String(one.date_created)) > since - 1_000)
          // whole seconds
          texts.add(String(one.sid), clean(listed(one)), undefined);
      next = view.next_page_uri;
    }
    const list = jsonListFile(pack, about);
    for (const one of texts.inOrder()) list.addText(one.bytes());
    list.end();
  } finally {
    texts.close();
  }
}

async function policyInsights(
  { services, env }: Client,
  signIn: SignIn,
  path: string,
  method = "GET",
): Promise<unknown> {
  const base = services["azure-policyinsights"]?.httpUrl ?? "";
  const scope = `/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/providers/Microsoft.PolicyInsights`;
  const answer = await asked(`${base}${scope}/${path}?api-version=2024-10-01`, {
    method,
    headers: await signIn.headers("azure-policyinsights"),
  });
  return JSON.parse(answer);
}

const dayMs = 86_400_000;

async function describe(
  { services }: Client,
  signIn: SignIn,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const answer = await asked(`${services["ec2-spot"]?.url ?? ""}/`, {
    method: "POST",
    headers: await signIn.headers("ec2-spot"),
    body: new URLSearchParams({ Version: "2016-11-15", ...parameters }),
  });
  return answer.replace(
    /<requestId>[^<]*<\/requestId>/g,
    "<requestId>00000000-0000-4000-8000-000000000000</requestId>",
  );
}

/** Lists come in order of arrival, which the order of independent steps decides; here in that of their ids. */
function byId(xml: string, id: string): string {
  const begins = `<item><${id}>`;
  const [before = "", ...items] = xml.split(begins);
  const last = items.at(-1);
  if (last === undefined) return xml;
  const end = last.lastIndexOf("</item>") + "</item>".length;
  const whole = [...items.slice(0, -1), last.slice(0, end)].map((item) => begins + item);
  return before + whole.sort(compareText).join("") + last.slice(end);
}

async function asked(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`the export was answered ${response.status}: ${text.slice(0, 200)}`);
  return text;
}
