/** Scenarios and evidence in Control: a story plays, what happened is recorded, the pack is taken away and is whole. */
import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import type { Suite } from "../../emulators/suite/suite.ts";
import { control, openBrowser, openPage, sendText, shoot, startSuite } from "./browser.ts";

let browser: Browser;
let suite: Suite & { readonly url: string };
beforeAll(async () => {
  [browser, suite] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0", BACKLOT_ONLY: "twilio,smtp" })]);
});
afterAll(() => Promise.all([browser.close(), suite.close()]));

async function look(path: string) {
  const opened = await openPage(browser, suite.url);
  await opened.page.goto(`${suite.url}/#/${path}`);
  await opened.page.getByText("Live", { exact: true }).waitFor();
  return opened;
}

test("a scenario is run, its steps turn done while it plays, and its pack is whole", async () => {
  const { page, complaints } = await look("control/scenarios");
  await page.getByText("Nothing was run yet").waitFor();
  await shoot(page, "scenarios");
  await page.getByLabel("Make evidence").check();
  await page.getByRole("button", { name: "Run A message delivered, one undelivered, and a code by mail" }).click();
  const progress = page.getByRole("progressbar", { name: "Steps done" });
  await progress.waitFor();
  const seen = new Set<number>();
  const passed = page.getByText(/^All \d+ steps passed$/);
  while (!(await passed.isVisible())) seen.add(Number(await progress.getAttribute("value")));
  expect(seen.size).toBeGreaterThan(1);
  expect(Math.min(...seen)).toBeLessThan(Number(await progress.getAttribute("max")));
  await page.getByText("20 of 20").waitFor();
  await shoot(page, "scenario-run");
  await page.getByRole("link", { name: "Its evidence" }).click();
  await page.getByRole("button", { name: "Verify" }).click();
  await page.getByText(/Every hash, list and link between its parts agrees: \d+ files/).waitFor();
  await shoot(page, "evidence");
  await page.goto(`${suite.url}/#/control/scenarios`);
  await page.getByRole("region", { name: "Runs" }).getByText("passed").waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

test("a run can be stopped", async () => {
  const { page, complaints } = await look("control/scenarios");
  await page.getByRole("button", { name: /^Run A spot instance is interrupted/ }).click();
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByText(/^Stopped after \d+ of \d+ steps$/).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

test("what is recorded is downloaded, and the command line finds it whole", async () => {
  const { page, complaints } = await look("control/evidence");
  await page.getByLabel("Title").fill("Release 12");
  await page.getByRole("button", { name: "Start recording" }).click();
  await page.getByText("What happens from now on goes into the pack.").waitFor();
  await sendText(suite, { Body: "while it is recorded" });
  await page.getByRole("button", { name: "Stop and make the pack" }).click();
  const row = page.getByRole("row").filter({ hasText: "Release 12" });
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    row.getByRole("button", { name: "Download" }).click(),
  ]);
  const path = await download.path();
  expect(download.suggestedFilename()).toMatch(/^\d{8}-backlot\.tar$/);
  expect(verifyPack(path)).toMatchObject({ code: 0, findings: [] });
  expect(readFileSync(path, "utf8")).toContain("while+it+is+recorded");
  await row.getByRole("button", { name: "Delete Release 12" }).click();
  await expect.poll(() => row.count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.close();
});

test("in real mode both say why there is nothing", async () => {
  await control(suite, "PUT", "/_backlot/mode", { mode: "real" });
  const { page } = await look("control/evidence");
  await page
    .getByText(/In real mode there is no evidence/)
    .first()
    .waitFor();
  await page.goto(`${suite.url}/#/control/scenarios`);
  await page
    .getByText(/In real mode there is no scenario/)
    .first()
    .waitFor();
  await control(suite, "PUT", "/_backlot/mode", { mode: "mock" });
  await page.close();
});
