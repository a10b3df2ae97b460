import axe from "axe-core";
import { expect, test } from "vitest";
import { control, openBrowser, openPage, sendMail, sendText, startSuite } from "./browser.ts";

test("axe finds nothing serious in any view, light and dark", { timeout: 120_000 }, async () => {
  const [browser, suite] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0" })]);
  try {
    await control(suite, "POST", "/_backlot/webhooks/endpoints", { url: "http://127.0.0.1:9/hook", schedule: [] });
    await control(suite, "POST", "/_backlot/faults", { emulator: "ec2-spot", action: { status: 503 } });
    await control(suite, "POST", "/_backlot/snapshots", { name: "before" });
    await sendText(suite, { Body: "Your code is 481516" });
    await sendMail(suite, { html: "<p>Hello</p>" });
    const { messages } = (await control(suite, "GET", "/_backlot/members/smtp/smtp/messages?limit=1")) as {
      messages: { id: string }[];
    };
    const { id: run } = (await control(suite, "POST", "/_backlot/scenarios/dead-letter-drill/run", {
      evidence: true,
    })) as { id: string };
    const { services } = (await control(suite, "GET", "/_backlot/webhooks/deliveries?limit=1")) as {
      services: Record<string, { deliveries: { id: string }[] }>;
    };
    const delivery = `webhooks/deliveries/twilio/${services.twilio?.deliveries[0]?.id}`;
    const mail = `mail/${messages[0]?.id}`;
    const pair = `messages/${encodeURIComponent("+12025550100 +12025550110")}`;
    const subscription = `/subscriptions/${suite.env.AZURE_SUBSCRIPTION_ID}`;
    const scope = encodeURIComponent(subscription);
    const places = [
      "overview",
      "journal",
      "journal/twilio:1",
      pair,
      ...["", "/text", "/headers", "/source", "/envelope", "/transcript", "/attachments", "/delivery"].map(
        (tab) => mail + tab,
      ),
      ...["deliveries", "dead", "endpoints", "probe"].map((tab) => `webhooks/${tab}`),
      "control",
      "control/scenarios",
      `control/scenarios/${run}`,
      "control/evidence",
      delivery,
      "messages",
      "spot",
      "spot/lives",
      ...["policies", "resources", "changes", "remediations"].map((tab) => `compliance/${tab}/${scope}`),
      `compliance/policies/${scope}/${encodeURIComponent(`${subscription}/providers/microsoft.authorization/policyassignments/securitycenterbuiltin`)}`,
      "nowhere",
    ];
    const found = new Set<string>();
    for (const dark of [false, true]) {
      const { page } = await openPage(browser, suite.url, { dark });
      await page.goto(suite.url);
      await page.getByText("Live", { exact: true }).waitFor();
      await page.evaluate(axe.source);
      for (const place of places) {
        await page.evaluate(`location.hash = ${JSON.stringify(`#/${place}`)}`);
        await page.waitForTimeout(250);
        if (place === delivery) await page.getByText("Signature, standard").first().click();
        // The frame holds a stranger's mail, whose manners are not ours.
        const result = (await page.evaluate("axe.run({ exclude: ['iframe'] }, { iframes: false })")) as axe.AxeResults;
        expect(result.passes.length).toBeGreaterThan(10);
        for (const { id, impact, nodes } of result.violations)
          if (impact === "serious" || impact === "critical")
            found.add(`${place} ${dark ? "dark" : "light"}: ${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
      }
      await page.close();
    }
    expect([...found]).toEqual([]);
  } finally {
    await Promise.all([browser.close(), suite.close()]);
  }
});
