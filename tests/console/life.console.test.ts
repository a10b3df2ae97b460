import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { control, openBrowser, openPage, sendText, startSuite } from "./browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(() => browser.close());

test("after a restart of the suite the page goes on by itself, without a gap or a double", async () => {
  const first = await startSuite({ BACKLOT_ONLY: "twilio", BACKLOT_PACE: "0" });
  const { port } = new URL(first.url);
  const { page } = await openPage(browser, first.url);
  await page.goto(`${first.url}/#/journal`);
  await page.getByText("Live", { exact: true }).waitFor();
  await sendText(first, { Body: "one" });
  await page.getByText("Messages.json").first().waitFor();
  await first.close();
  await page.getByText("Connection lost").waitFor();
  const second = await startSuite({ BACKLOT_ONLY: "twilio", BACKLOT_PACE: "0", BACKLOT_PORT: port });
  try {
    await sendText(second, { Body: "two" });
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 15_000 });
    const rows = page.getByRole("listbox").getByRole("option").filter({ hasText: "POST CreateMessage" });
    await expect.poll(() => rows.count()).toBe(1);
    await sendText(second, { Body: "three" });
    await expect.poll(() => rows.count()).toBe(2);
  } finally {
    await page.close();
    await second.close();
  }
});

test("with a control token the page asks for it, and shows nothing before", async () => {
  const suite = await startSuite({ BACKLOT_ONLY: "twilio,smtp", BACKLOT_CONTROL_TOKEN: "s3cret" });
  try {
    expect((await fetch(`${suite.url}/_backlot/members/twilio/journal`)).status).toBe(401);
    expect((await fetch(`${suite.url}/_backlot/console/mail/x/html?token=forged`)).status).toBe(401);
    const { page } = await openPage(browser, suite.url);
    await page.goto(suite.url);
    await page.getByLabel("Control token").fill("s3cret");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("Live", { exact: true }).waitFor();
    await page.getByRole("rowheader", { name: "Twilio" }).waitFor();
    await page.close();
  } finally {
    await suite.close();
  }
});

test("in real mode the console stays up and says so", async () => {
  const suite = await startSuite({ BACKLOT_ONLY: "twilio" });
  try {
    await control(suite, "PUT", "/_backlot/mode", { mode: "real" });
    const { page } = await openPage(browser, suite.url);
    await page.goto(suite.url);
    await page.getByText("Real mode: nothing is emulated").waitFor();
    await page.goto(`${suite.url}/#/control`);
    await page.getByRole("button", { name: "Switch to mock" }).click();
    await page.getByText("The mode is mock.").waitFor();
    await page.close();
  } finally {
    await suite.close();
  }
});

test("ten thousand entries keep a short list of elements", async () => {
  const suite = await startSuite({ BACKLOT_ONLY: "twilio" });
  try {
    const journal = suite.emulators[0]?.runtime.journal;
    const { page } = await openPage(browser, suite.url);
    await page.goto(suite.url);
    await page.getByRole("rowheader", { name: "Twilio" }).waitFor();
    await page.goto(`${suite.url}/#/journal`);
    await page.getByText("Live", { exact: true }).waitFor();
    for (let n = 0; n < 10_000; n += 1) {
      journal?.append("change", `thing-${n}`, { resource: "thing", status: "made" });
      if (n % 500 === 499) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await page.getByText("thing-9999").waitFor();
    expect(await page.getByRole("listbox").getByRole("option").count()).toBeLessThan(80);
    await page.getByRole("listbox").focus();
    await page.keyboard.press("End");
    await expect.poll(() => page.url()).toMatch(/journal\/twilio/);
    // A page that opens now has the newest thousand of them, and claims no more.
    await page.goto(`${suite.url}/#/overview`);
    await page.reload();
    await page.getByText("Clean lately").waitFor();
    await page.getByText("in the newest 1,000 entries").waitFor();
    await control(suite, "POST", "/_backlot/reset");
    await page.getByText("Clean so far").waitFor();
    await page.close();
  } finally {
    await suite.close();
  }
});
