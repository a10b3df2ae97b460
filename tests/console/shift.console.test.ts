/** Nothing moves under the reader's eyes: not while a view loads, and not when something arrives. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Suite } from "../../emulators/suite/suite.ts";
import { ec2Of, requestSpot } from "../contract/console-data.ts";
import { control, openBrowser, openPage, sendMail, sendText, startSuite } from "./browser.ts";

const views = [
  "overview",
  "journal",
  "messages",
  "mail",
  "spot",
  "spot/lives",
  "compliance",
  "compliance/resources",
  "compliance/changes",
  "compliance/remediations",
  "webhooks",
  "webhooks/dead",
  "webhooks/endpoints",
  "webhooks/probe",
  "control",
  "control/scenarios",
  "control/evidence",
];

let browser: Browser;
let suite: Suite & { readonly url: string };
beforeAll(async () => {
  [browser, suite] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0" })]);
  // Nobody listens there: deliveries, and soon dead letters.
  await control(suite, "POST", "/_backlot/webhooks/endpoints", { url: "http://127.0.0.1:9/hook", schedule: [] });
  await happen(0);
}, 60_000);
afterAll(() => Promise.all([browser.close(), suite.close()]));

/** Something in every view. */
async function happen(n: number): Promise<void> {
  const ec2 = ec2Of(suite);
  await Promise.all([
    sendMail(suite, { subject: `Call sheet ${n}` }),
    sendText(suite, { Body: `Call time ${n}`, To: `+1202555${1_000 + n}` }),
    requestSpot(ec2, 1, [{ Key: "Name", Value: `worker-${n}` }]),
    control(suite, "POST", "/_backlot/faults", {
      emulator: "twilio",
      match: { path: `/${n}` },
      action: { status: 503 },
    }),
    control(suite, "POST", "/_backlot/snapshots", { name: `before-${n}` }),
    fetch("http://somewhere.example/", { method: "HEAD" }).catch(() => undefined),
  ]);
  ec2.destroy();
}

/** What moved, without what a key or a click had moved. */
const watchShifts = `{
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries())
      if (!hadRecentInput)
        window.shifts.push({ value, moved: sources.map(({ node }) => node?.className || node?.nodeName || "gone") });
  }).observe({ type: "layout-shift", buffered: true });
}`;

interface Shift {
  readonly value: number;
  readonly moved: readonly string[];
}

test.each([1280, 360])("%s px wide", { timeout: 180_000 }, async (width) => {
  const found: Record<string, readonly Shift[]> = {};
  for (const [n, view] of views.entries()) {
    const { page, complaints } = await openPage(browser, suite.url, { width });
    await page.addInitScript(watchShifts);
    await page.goto(`${suite.url}/#/${view}`);
    await page.getByText("Live", { exact: true }).waitFor();
    await page.waitForTimeout(500);
    await happen(width + n + 1);
    await page.waitForTimeout(500);
    const shifts = await page.evaluate<readonly Shift[]>("window.shifts");
    if (shifts.reduce((sum, { value }) => sum + value, 0) >= 0.02) found[view] = shifts;
    expect(complaints).toEqual([]);
    await page.close();
  }
  expect(found).toEqual({});
});
