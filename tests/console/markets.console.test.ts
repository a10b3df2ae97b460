/** Spot and compliance, held against what the official clients of AWS and Azure read of the same suite. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Suite } from "../../emulators/suite/suite.ts";
import {
  ec2Of,
  nonCompliant,
  policyOf,
  requestSpot,
  spotPrices,
  statusOf,
  summaryOf,
  tag,
} from "../contract/console-data.ts";
import { openBrowser, openPage, shoot, startSuite } from "./browser.ts";

let browser: Browser;
let suite: Suite & { readonly url: string };
let ec2: ReturnType<typeof ec2Of>;
beforeAll(async () => {
  [browser, suite] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0" })]);
  ec2 = ec2Of(suite);
});
afterAll(async () => {
  ec2.destroy();
  await Promise.all([browser.close(), suite.close()]);
});

async function look(path: string, options: { dark?: boolean; width?: number } = {}) {
  const opened = await openPage(browser, suite.url, options);
  await opened.page.goto(`${suite.url}/#/${path}`);
  await opened.page.getByText("Live", { exact: true }).waitFor();
  return opened;
}

test("the chart has every zone at the price that the client reads, and tells it under the pointer and by the keys", async () => {
  const prices = await spotPrices(ec2, "m5.large");
  const { page, complaints } = await look("spot");
  await page.getByRole("heading", { name: "m5.large in us-east-1" }).waitFor();
  const zones = page.getByRole("table", { name: "Zones" }).getByRole("row");
  await expect.poll(() => zones.count()).toBe(Object.keys(prices).length + 1);
  for (const [zone, price] of Object.entries(prices))
    expect(await zones.filter({ hasText: zone }).textContent()).toContain(`$${price.toFixed(4)}`);
  expect(await page.locator(".chart path.line").count()).toBe(Object.keys(prices).length);
  await page.getByText(/on-demand \$0\.096/).waitFor();
  const chart = page.getByRole("slider", { name: /Prices by time/ });
  await chart.hover({ position: { x: 400, y: 120 } });
  await page.locator(".reading").getByText("us-east-1a").waitFor();
  await shoot(page, "spot");
  await chart.focus();
  await page.keyboard.press("End");
  const [zone = "", price = 0] = Object.entries(prices)[0] ?? [];
  expect(await chart.getAttribute("aria-valuetext")).toContain(`${zone} $${price.toFixed(4)}`);
  await page.getByRole("checkbox").first().uncheck();
  expect(await page.locator(".chart path.line").count()).toBe(Object.keys(prices).length - 1);
  await page.getByRole("button", { name: "90 days" }).click();
  await expect.poll(() => page.url()).toMatch(/\/90$/);
  await page.getByLabel("Instance type").fill("c6i.xlarge");
  await page.getByRole("heading", { name: "c6i.xlarge in us-east-1" }).waitFor();
  await page.getByRole("button", { name: "Fit to prices" }).click();
  await shoot(page, "spot-90-days");
  expect(complaints).toEqual([]);
  await page.close();
});

test("what was bought stands on a timeline, and Interrupt now gives it its notice", async () => {
  const { page, complaints } = await look("spot/lives");
  await page.getByText("Nothing was bought yet").waitFor();
  const [request = ""] = await requestSpot(ec2, 1, [{ Key: "Name", Value: "render-farm" }]);
  await requestSpot(ec2, 2);
  await page.getByRole("option").filter({ hasText: "render-farm" }).waitFor();
  await expect.poll(async () => (await statusOf(ec2, request)).instance).toMatch(/^i-/);
  const { instance = "" } = await statusOf(ec2, request);
  await tag(ec2, instance, [{ Key: "Name", Value: "worker-1" }]);
  await page.goto(`${suite.url}/#/spot/lives/${instance}`);
  await page.getByRole("button", { name: "Interrupt now" }).click();
  await page.getByText(/^Told; it goes at/).waitFor();
  expect((await statusOf(ec2, request)).code).toBe("marked-for-termination");
  await page.getByText("It has had its notice.").waitFor();
  await shoot(page, "spot-lives");
  expect(await page.getByRole("button", { name: "Interrupt now" }).isDisabled()).toBe(true);
  expect(complaints).toEqual([]);
  await page.close();
});

test("compliance counts as the client's summary does, and leads down to the evaluated expressions", async () => {
  const subscription = suite.env.AZURE_SUBSCRIPTION_ID ?? "";
  const summary = await summaryOf(policyOf(suite), subscription);
  const { page, complaints } = await look("compliance");
  await page.getByText(summary.resources.toLocaleString("en"), { exact: true }).first().waitFor();
  const rows = page.getByRole("row").filter({ has: page.getByRole("link") });
  expect(await rows.count()).toBe(summary.assignments.length);
  await page.getByText("Initiative: Microsoft cloud security benchmark").waitFor();
  await shoot(page, "compliance");
  await page.getByRole("link", { name: "cis-azure-2-0-0" }).click();
  await page.getByRole("columnheader", { name: "Effect" }).waitFor();
  await shoot(page, "compliance-initiative");
  await rows.first().getByRole("link").click();
  const states = page.getByRole("listbox").getByRole("option");
  await states.first().click();
  await page.getByRole("table", { name: "Evaluated expressions" }).getByRole("row").nth(1).waitFor();
  await shoot(page, "compliance-state");
  await page.getByRole("link", { name: "Changed since yesterday" }).click();
  await states.first().waitFor();
  await page.getByRole("link", { name: "Resources" }).click();
  await page.getByLabel("Resource", { exact: true }).fill("vaults/");
  await expect
    .poll(async () => (await states.allTextContents()).every((text) => text.includes("Microsoft.KeyVault/vaults")))
    .toBe(true);
  // The whole of it, not the first page of a thousand.
  await page.getByLabel("Resource", { exact: true }).fill("");
  await page.getByRole("combobox", { name: "State" }).selectOption("");
  await expect
    .poll(async () => Number((await page.locator(".panel.list .aside").textContent())?.replace(/\D/g, "")), {
      timeout: 10_000,
    })
    .toBeGreaterThan(2_000);
  expect(complaints).toEqual([]);
  await page.close();
});

test("a resource is remediated from its state; the client then finds it compliant", async () => {
  const subscription = suite.env.AZURE_SUBSCRIPTION_ID ?? "";
  const policy = policyOf(suite);
  const [state] = await nonCompliant(policy, subscription, "policyDefinitionAction eq 'deployifnotexists'");
  if (!state) throw new Error("the estate has nothing to remediate");
  const key = [state.resource, state.assignment, state.definition, state.reference].join("|");
  const scope = `/subscriptions/${subscription}`;
  const { page, complaints } = await look(
    `compliance/resources/${encodeURIComponent(scope)}/${encodeURIComponent(key)}`,
  );
  await page.getByRole("button", { name: "Remediate this resource" }).click();
  await page.locator(".detail > header").getByText("Compliant", { exact: true }).waitFor();
  const still = await nonCompliant(policy, subscription, `resourceId eq '${state.resource}'`);
  expect(still.filter(({ assignment }) => assignment === state.assignment)).toEqual([]);
  await page.getByRole("link", { name: "Remediations" }).click();
  await page.getByText("Succeeded").first().waitFor();
  await shoot(page, "compliance-remediations");
  expect(complaints).toEqual([]);
  await page.close();
});
