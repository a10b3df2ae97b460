/** Every view, fresh and with much in it, light and dark, wide and on a telephone: nothing overflows, nothing complains. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Suite } from "../../emulators/suite/suite.ts";
import { ec2Of, requestSpot } from "../contract/console-data.ts";
import { startReceiver } from "../support/receiver.ts";
import { control, openBrowser, openPage, sendMail, sendText, shoot, startSuite } from "./browser.ts";

const views = [
  "overview",
  "journal",
  "messages",
  "mail",
  "spot",
  "spot/lives",
  "compliance",
  "webhooks",
  "webhooks/dead",
  "webhooks/endpoints",
  "webhooks/probe",
  "control",
  "control/scenarios",
  "control/evidence",
];
const longName = "a-name-that-somebody-made-far-too-long-because-nothing-kept-them-from-it".repeat(2);

const longLetter = {
  subject: `Call sheet ${longName}`,
  text: `Be there at 6.\n\n${longName}\nYour code is 481516.`,
  html: `<h1>Call sheet</h1><p>Be there at 6, at <a href="https://example.com/${longName}">the gate</a>.</p><p>${longName}</p>`,
  attachments: [
    { filename: "map.txt", content: "turn left" },
    { filename: `${longName}.txt`, content: "turn right" },
  ],
};

let browser: Browser;
let suites: Readonly<Record<string, Suite & { readonly url: string }>>;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
beforeAll(async () => {
  const settings = { BACKLOT_PACE: "0" };
  const started = await Promise.all([openBrowser(), startSuite(settings), startSuite(settings), startReceiver()]);
  const [, fresh, full] = started;
  [browser, , , receiver] = started;
  suites = { fresh, full };
  await fill(full);
}, 120_000);
afterAll(() =>
  Promise.all([browser.close(), receiver.close(), ...Object.values(suites).map((suite) => suite.close())]),
);

async function fill(suite: Suite): Promise<void> {
  receiver.answer = (call, _n, response) => void response.writeHead(call.url.includes("bad") ? 500 : 200).end("noted");
  for (const [url, events] of [
    [`${receiver.url}/hook`, ["message.*"]],
    [`${receiver.url}/bad/${longName}`, ["email.*"]],
  ] as const)
    await control(suite, "POST", "/_backlot/webhooks/endpoints", { url, events, schedule: [] });
  for (let n = 0; n < 60; n += 1) {
    await sendMail(suite, n % 9 === 0 ? longLetter : { subject: `Call sheet ${n}` });
    await sendText(suite, { Body: n % 9 === 0 ? longName : `Call time ${n}`, To: `+1202555${String(1_000 + n)}` });
  }
  const ec2 = ec2Of(suite);
  for (let n = 0; n < 12; n += 1)
    await requestSpot(ec2, 1, [{ Key: "Name", Value: n === 0 ? longName : `worker-${n}` }]);
  ec2.destroy();
  for (const emulator of ["twilio", "smtp"])
    await control(suite, "POST", "/_backlot/faults", {
      emulator,
      match: { path: `**/${longName}` },
      action: { status: 503 },
    });
  for (const name of ["before", longName.slice(0, 60)]) await control(suite, "POST", "/_backlot/snapshots", { name });
  await control(suite, "POST", "/_backlot/evidence/start", { title: `Release 12 ${longName}`.slice(0, 200) });
  await control(suite, "POST", "/_backlot/evidence/stop");
  await control(suite, "POST", "/_backlot/scenarios/verification-failures/run", {});
}

/** One of each thing that has an address of its own, by the name of its picture. */
async function details(suite: Suite): Promise<readonly (readonly [name: string, place: string])[]> {
  const { messages } = (await control(suite, "GET", "/_backlot/members/smtp/smtp/messages?limit=100")) as {
    messages: readonly { id: string; subject: string }[];
  };
  const { services } = (await control(suite, "GET", "/_backlot/webhooks/deliveries?limit=5")) as {
    services: Record<string, { deliveries: readonly { id: string }[] }>;
  };
  const { runs } = (await control(suite, "GET", "/_backlot/scenarios/runs")) as { runs: readonly { id: string }[] };
  const subscription = `/subscriptions/${suite.env.AZURE_SUBSCRIPTION_ID}`;
  const scope = encodeURIComponent(subscription);
  const benchmark = `${subscription}/providers/microsoft.authorization/policyassignments/securitycenterbuiltin`;
  const mail = `mail/${messages.find(({ subject }) => subject.length > 40)?.id}`;
  return [
    ["journal-entry", "journal/twilio:2"],
    ["conversation", `messages/${encodeURIComponent("+12025550100 +12025551009")}`],
    ...["html", "text", "headers", "source", "envelope", "transcript", "attachments", "delivery"].map(
      (tab) => [`mail-${tab}`, `${mail}/${tab}`] as const,
    ),
    ["delivery-good", `webhooks/deliveries/twilio/${services.twilio?.deliveries[0]?.id}`],
    ["delivery-dead", `webhooks/dead/smtp/${services.smtp?.deliveries[0]?.id}`],
    ...["resources", "changes", "remediations"].map(
      (tab) => [`compliance-${tab}`, `compliance/${tab}/${scope}`] as const,
    ),
    ["compliance-assignment", `compliance/policies/${scope}/${encodeURIComponent(benchmark)}`],
    ["scenario-run", `control/scenarios/${runs[0]?.id}`],
    ["nowhere", "nowhere"],
  ];
}

test.each([
  ["fresh", false, 1280],
  ["fresh", true, 1280],
  ["fresh", false, 360],
  ["fresh", true, 360],
  ["full", false, 1280],
  ["full", true, 1280],
  ["full", false, 360],
  ["full", true, 360],
] as const)("%s, dark %s, %s px wide", { timeout: 120_000 }, async (state, dark, width) => {
  const suite = suites[state];
  if (!suite) throw new Error(`there is no ${state} suite`);
  const { page, complaints } = await openPage(browser, suite.url, { dark, width });
  const wide: string[] = [];
  const places = [
    ...views.map((view) => [view.replace("/", "-"), view] as const),
    ...(state === "full" ? await details(suite) : []),
  ];
  for (const [name, place] of places) {
    await page.goto(`${suite.url}/#/${place}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.waitForTimeout(400);
    await shoot(page, `${name}-${state}-${dark ? "dark" : "light"}-${width}`);
    if (Number(await page.evaluate("document.documentElement.scrollWidth")) > width) wide.push(place);
  }
  expect(wide).toEqual([]);
  expect(complaints).toEqual([]);
  await page.close();
});
