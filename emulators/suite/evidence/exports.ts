/** State of the services as their own APIs show it, asked for after the journal was read. */

import type { Suite } from "../suite.ts";
import { type Artefact, artefact, described } from "./artefact.ts";
import { canonicalJson } from "./canonical.ts";
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

export async function exportState(
  pack: PackWriter,
  suite: Suite,
  redactor: Redactor,
  places: (text: string) => string,
): Promise<Exports> {
  const artefacts: Artefact[] = [];
  const missing: string[] = [];
  const env = await clientEnvironment(suite);
  const client = { services: suite.services, clock: suite.clock, env };
  const signIn = createSignIn(new Map(Object.entries(env).map(([name, value]) => [`env.${name}`, value])));
  const add = (path: string, about: string, text: string): void => {
    artefacts.push(artefact(path, about, redactor.text(places(text))));
  };
  const attempts: readonly (readonly [service: string, work: () => Promise<void>])[] = [
    ["twilio", () => writeMessages(pack, client, signIn, (text) => redactor.text(places(text)))],
    [
      "azure-policyinsights",
      async () => add("policy/summary.json", "Compliance by policy", canonicalJson(await policies(client, signIn))),
    ],
    [
      "ec2-spot",
      async () => add("spot/prices.xml", "Spot prices of a day before the end", await prices(client, signIn)),
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

async function writeMessages(
  pack: PackWriter,
  { services, env }: Client,
  signIn: SignIn,
  clean: (text: string) => string,
): Promise<void> {
  const base = services.twilio?.url ?? "";
  const texts = sortedTexts<undefined>();
  try {
    // As few requests as can be: a scenario may have set a limit.
    let next: unknown = `/2010-04-01/Accounts/${env.TWILIO_ACCOUNT_SID}/Messages.json?PageSize=1000`;
    while (typeof next === "string") {
      const answer = await asked(base + next, { headers: await signIn.headers("twilio") });
      const view = JSON.parse(answer) as { messages: Record<string, unknown>[]; next_page_uri: unknown };
      for (const message of view.messages) texts.add(String(message.sid), clean(listed(message)), undefined);
      next = view.next_page_uri;
    }
    const list = jsonListFile(pack, described("sms/messages.json", "Messages by sid"));
    for (const one of texts.inOrder()) list.addText(one.bytes());
    list.end();
  } finally {
    texts.close();
  }
}

async function policies({ services, env }: Client, signIn: SignIn): Promise<unknown> {
  const base = services["azure-policyinsights"]?.httpUrl ?? "";
  const scope = `/subscriptions/${env.AZURE_SUBSCRIPTION_ID}/providers/Microsoft.PolicyInsights`;
  const answer = await asked(`${base}${scope}/policyStates/latest/summarize?api-version=2024-10-01`, {
    method: "POST",
    headers: await signIn.headers("azure-policyinsights"),
  });
  return JSON.parse(answer);
}

async function prices({ services, clock }: Client, signIn: SignIn): Promise<string> {
  const end = clock.now();
  const answer = await asked(`${services["ec2-spot"]?.url ?? ""}/`, {
    method: "POST",
    headers: await signIn.headers("ec2-spot"),
    body: new URLSearchParams({
      Action: "DescribeSpotPriceHistory",
      Version: "2016-11-15",
      "InstanceType.1": "m5.large",
      "ProductDescription.1": "Linux/UNIX",
      StartTime: new Date(end - 86_400_000).toISOString(),
      EndTime: new Date(end).toISOString(),
    }),
  });
  return answer.replace(
    /<requestId>[^<]*<\/requestId>/g,
    "<requestId>00000000-0000-4000-8000-000000000000</requestId>",
  );
}

async function asked(url: string, init: RequestInit): Promise<string> {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`the export was answered ${response.status}: ${text.slice(0, 200)}`);
  return text;
}
