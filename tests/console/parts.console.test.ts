/** Each emulator's own port shows its part of the console: 8025 the inbox, as MailHog's and Mailpit's users expect. */
import axe from "axe-core";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Suite } from "../../emulators/suite/suite.ts";
import { ec2Of, requestSpot } from "../contract/console-data.ts";
import { openBrowser, openPage, sendMail, sendText, shoot, startSuite } from "./browser.ts";

let browser: Browser;
let suite: Suite & { readonly url: string };
beforeAll(async () => {
  [browser, suite] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0" })]);
});
afterAll(() => Promise.all([browser.close(), suite.close()]));

interface Part {
  readonly name: keyof Suite["services"] & string;
  readonly address: (services: Suite["services"]) => string | undefined;
  readonly heading: string;
  readonly links: readonly string[];
  /** Makes something, and waits for it on the page. */
  readonly live: (page: Page) => Promise<void>;
}

const parts: readonly Part[] = [
  {
    name: "smtp",
    address: ({ smtp }) => smtp?.url,
    heading: "Mail",
    links: ["Mail", "Journal", "Webhooks"],
    async live(page) {
      await sendMail(suite, { subject: "Straight to the inbox", html: "<p>In the frame</p>" });
      await page.getByRole("option", { name: /Straight to the inbox/ }).click();
      await page.frameLocator("iframe").getByText("In the frame").waitFor();
    },
  },
  {
    name: "twilio",
    address: ({ twilio }) => twilio?.url,
    heading: "Messages",
    links: ["Messages", "Journal", "Webhooks"],
    async live(page) {
      await sendText(suite, { To: "+12025550116", Body: "Straight to the handset" });
      await page.getByRole("option").filter({ hasText: "+12025550116" }).click();
      await page.getByText("Straight to the handset").first().waitFor();
      await page.getByLabel("Reply as +12025550116").fill("And back");
      await page.getByRole("button", { name: "Send", exact: true }).click();
      await page
        .getByRole("article", { name: /^Received/ })
        .getByText("And back")
        .waitFor();
    },
  },
  {
    name: "ec2-spot",
    address: (services) => services["ec2-spot"]?.url,
    heading: "Spot",
    links: ["Spot", "Journal", "Webhooks"],
    async live(page) {
      await page.locator(".chart path.line").first().waitFor();
      await page.getByRole("link", { name: /Instances/ }).click();
      const ec2 = ec2Of(suite);
      await requestSpot(ec2, 1, [{ Key: "Name", Value: "straight-to-the-line" }]);
      ec2.destroy();
      await page.getByRole("option").filter({ hasText: "straight-to-the-line" }).waitFor();
    },
  },
  {
    name: "azure-policyinsights",
    address: (services) => services["azure-policyinsights"]?.httpUrl,
    heading: "Compliance",
    links: ["Compliance", "Journal", "Webhooks"],
    async live(page) {
      await page.getByRole("link", { name: "cis-azure-2-0-0" }).click();
      await page.getByRole("columnheader", { name: "Effect" }).waitFor();
    },
  },
];

test.each(parts)("$name", async ({ name, address, heading, links, live }) => {
  const url = address(suite.services) ?? "";
  const { page, complaints } = await openPage(browser, url);
  await page.goto(`${url}/`);
  await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  await page.getByText("Live", { exact: true }).waitFor();
  const nav = page.getByRole("navigation", { name: "Views" }).getByRole("link");
  expect((await nav.allTextContents()).sort()).toEqual([...links, "All of Backlot"].sort());
  expect(await nav.filter({ hasText: "All of Backlot" }).getAttribute("href")).toBe(suite.url);
  await live(page);
  await shoot(page, `part-${name}`);
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate(
    "axe.run({ exclude: ['iframe'] }, { iframes: false })",
  )) as axe.AxeResults;
  expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
  await fetch(`${url}/asked/by/nobody`);
  await page.getByRole("link", { name: "Journal", exact: true }).click();
  await page.getByRole("listbox").getByText("asked/by/nobody").waitFor();
  await page.getByRole("listbox").getByRole("option").first().click();
  await page.getByText("Service", { exact: true }).first().waitFor();
  // Its journal alone.
  const { services } = (await (await fetch(`${url}/_backlot/console/api/services`)).json()) as {
    services: { name: string }[];
  };
  expect(services.map((one) => one.name)).toEqual([name]);
  expect(complaints).toEqual([]);
  await page.close();
});
