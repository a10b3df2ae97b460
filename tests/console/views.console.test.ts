import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Suite } from "../../emulators/suite/suite.ts";
import { twilioOf } from "../contract/console-data.ts";
import { type Receiver, startReceiver } from "../support/receiver.ts";
import { control, openBrowser, openPage, sendMail, sendText, shoot, startSuite } from "./browser.ts";

let browser: Browser;
let suite: Suite & { readonly url: string };
let receiver: Receiver;

beforeAll(async () => {
  [browser, suite, receiver] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0" }), startReceiver()]);
  receiver.answer = (call, _n, response) => void response.writeHead(call.url.includes("bad") ? 500 : 200).end("noted");
  const bad = `${receiver.url}/bad`;
  await control(suite, "POST", "/_backlot/webhooks/endpoints", { url: receiver.url, events: ["message.*"] });
  await control(suite, "POST", "/_backlot/webhooks/endpoints", { url: bad, events: ["email.*"], schedule: [] });
  await sendText(suite, { Body: "Your verification code is 481516", To: "+12025550111" });
  await sendText(suite, { Body: "Call time is Monday 06:30 at Stage 4.\nBring the blue jacket." });
  await sendText(suite, { Body: "Weather cover is scene 31 on Stage 2.", StatusCallback: receiver.url });
  await sendMail(suite, {
    subject: "Call sheet for Monday",
    text: "Stage 4, 06:30. Your code is 904417.",
    html: '<h1 style="font-family:sans-serif">Call sheet</h1><p>Stage 4, <b>06:30</b>. Your code is 904417.</p><img src="cid:map" width="80" height="40"><img src="https://example.com/pixel.gif">',
    attachments: [
      {
        filename: "map.png",
        cid: "map",
        content: Buffer.from(
          "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==",
          "base64",
        ),
      },
      { filename: "sheet.csv", content: "scene,stage\n12,4\n" },
    ],
  });
  await sendMail(suite, { subject: "Plain words only", from: "stage@example.com", text: "No HTML here." });
  await sendText(suite, { To: "+12025550113", StatusCallback: "http://hooks.example.com/status" });
});
afterAll(() => Promise.all([browser.close(), suite.close(), receiver.close()]));

async function look(path: string) {
  const opened = await openPage(browser, suite.url);
  await opened.page.goto(`${suite.url}/#/${path}`);
  await opened.page.getByText("Live", { exact: true }).waitFor();
  return opened;
}

test("the overview says what is up and what happened", async () => {
  const { page, complaints } = await look("overview");
  await page.getByRole("rowheader", { name: "Twilio" }).waitFor();
  await page.getByText("Messages.json").first().waitFor();
  await shoot(page, "overview");
  await page.getByLabel("Search the journal").fill("stage 2");
  await page.getByText(/of \d+/).waitFor();
  const rows = page.getByRole("listbox", { name: "Journal, newest first" }).getByRole("option");
  expect(await rows.count()).toBeLessThan(5);
  await rows.first().click();
  await page.getByRole("heading", { name: "Answer" }).waitFor();
  await shoot(page, "journal");
  expect(complaints).toEqual([]);
  await page.close();
});

test("curl still gets plain text", async () => {
  const response = await fetch(suite.url);
  expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
});

test("control moves the clock, plans faults, saves and restores", async () => {
  const { page, complaints } = await look("control");
  await page.getByRole("button", { name: "Freeze" }).click();
  await page.getByText(/The clock is frozen/).waitFor();
  const before = Date.parse(String((await clock()).now));
  await page.getByRole("button", { name: "+1 h" }).click();
  await page.getByText(/timers fired/).waitFor();
  expect(Date.parse(String((await clock()).now)) - before).toBe(3_600_000);
  await page.getByLabel("Name of the snapshot").fill("here");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Delete here" }).waitFor();
  await page.getByLabel("Path").fill("**/Messages.json");
  await page.getByRole("button", { name: "Plan" }).click();
  await page.getByText("status 503").first().waitFor();
  await expect(sendText(suite, {})).rejects.toThrow();
  await page.getByText("1 of 1").waitFor();
  await shoot(page, "control");
  await page.getByRole("button", { name: "Remove all" }).click();
  await page.getByText("No fault is planned", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Real time" }).click();
  await page.getByText(/The clock is real/).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

test("webhooks show attempts; a dead letter is replayed", async () => {
  const { page, complaints } = await look("webhooks");
  await page
    .getByRole("option")
    .filter({ hasText: "message.delivered" })
    .filter({ hasText: receiver.url })
    .first()
    .click();
  await page.getByText("Attempt 1").waitFor();
  await page.getByText("webhook-signature").first().waitFor();
  await page.getByText("Signature, standard").first().click();
  const content = page.getByRole("region", { name: "Signed content" });
  expect(await content.textContent()).toMatch(/^msg_\w+\.\d+\.\{"type":"message\.delivered"/);
  await page
    .getByText(/^Received in webhook-signature/)
    .getByText("yes")
    .waitFor();
  await shoot(page, "webhooks");
  await page.getByRole("link", { name: "Dead letters" }).click();
  await page.getByRole("option").filter({ hasText: "email.accepted" }).first().click();
  await page.getByText("500").first().waitFor();
  await shoot(page, "dead-letters");
  const calls = receiver.calls.length;
  await page.getByRole("button", { name: "Replay" }).click();
  await expect.poll(() => receiver.calls.length).toBeGreaterThan(calls);
  await page.getByRole("link", { name: "Endpoints" }).click();
  await page.getByRole("cell", { name: receiver.url, exact: true }).first().waitFor();
  await shoot(page, "endpoints");
  await page.getByRole("link", { name: "Probe a receiver" }).click();
  await page.getByRole("combobox", { name: "Endpoint" }).selectOption(receiver.url);
  await page.getByRole("button", { name: "Probe" }).click();
  await page.getByRole("table", { name: "How the receiver judged" }).waitFor();
  await shoot(page, "probe");
  expect(complaints).toEqual([]);
  await page.close();
});

test("mail arrives live and shows in all its parts", async () => {
  const { page, complaints } = await look("mail");
  await page.getByRole("option", { name: /Call sheet for Monday/ }).click();
  const frame = page.frameLocator("iframe");
  await frame.getByRole("heading", { name: "Call sheet" }).waitFor();
  expect(await frame.locator("img").first().getAttribute("src")).toMatch(/^data:image\/png/);
  await shoot(page, "mail");
  for (const [name, text] of [
    ["Text", "Your code is 904417."],
    ["Headers", "Content-Type"],
    ["Source", "MIME-Version"],
    ["Envelope", "RCPT TO"],
    ["Transcript", "EHLO"],
    ["Attachments", "sheet.csv"],
    ["Delivery", "accepted"],
  ] as const) {
    await page.getByRole("link", { name, exact: true }).click();
    await page.getByRole("region", { name: "Call sheet for Monday" }).getByText(text).first().waitFor();
  }
  await shoot(page, "mail-delivery");
  const started = performance.now();
  await sendMail(suite, { subject: "Just now" });
  await page.getByRole("option", { name: /Just now/ }).waitFor();
  expect(performance.now() - started).toBeLessThan(1_000);
  // The pixel of the captured mail is refused by the frame's own policy, which is the point.
  expect(complaints.filter((text) => !text.includes("https://example.com/pixel.gif"))).toEqual([]);
  await page.close();
});

test("a fault is injected from the inbox and from a message; the next mail meets it", async () => {
  const { page, complaints } = await look("mail");
  const send = (subject: string) => sendMail(suite, { to: "late@example.org", subject });
  const plan = async (mishap: string) => {
    await page.getByLabel("What becomes of it").selectOption({ label: mishap });
    await page.getByRole("button", { name: "Plan" }).click();
  };
  const rows = page.getByRole("table", { name: "Planned faults" }).getByRole("row");
  await page.getByLabel("Mail to").fill("late@example.org");
  await plan("Recipient refused for now (451)");
  await rows.filter({ hasText: "0 of 1" }).waitFor();
  await expect(send("Too early")).rejects.toThrow(/451 4\.7\.1 Try again later/);
  await rows.filter({ hasText: "1 of 1 spent" }).waitFor();
  await shoot(page, "mail-fault");
  await send("In time");
  await page.getByRole("option", { name: /In time/ }).click();
  await page.getByRole("link", { name: "Delivery", exact: true }).click();
  // Planned for the recipient of the message that is looked at.
  expect(await page.getByLabel("Mail to").inputValue()).toBe("late@example.org");
  await plan("Accepted and lost");
  await rows.filter({ hasText: "0 of 1" }).waitFor();
  await send("Into the void");
  await rows.filter({ hasText: "discard" }).filter({ hasText: "1 of 1 spent" }).waitFor();
  await plan("Accepted, then bounced");
  await rows.filter({ hasText: "0 of 1" }).waitFor();
  await send("There and back");
  await page.getByRole("option", { name: /There and back/ }).click();
  await page.getByRole("link", { name: "Delivery", exact: true }).click();
  await page.getByRole("listitem").getByText("bounced").waitFor();
  expect(await page.getByRole("option", { name: /Too early|Into the void/ }).count()).toBe(0);
  await rows
    .filter({ hasText: "bounce" })
    .getByRole("button", { name: /^Remove fault/ })
    .click();
  await expect.poll(() => rows.filter({ hasText: "bounce" }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.close();
});

test("messages read as conversations with their status", async () => {
  const { page, complaints } = await look("messages");
  await page.getByRole("option").filter({ hasText: "+12025550110" }).click();
  await page.getByText("Bring the blue jacket.").first().waitFor();
  await page.getByRole("link", { name: "More" }).last().click();
  await page.getByText(/^SM[0-9a-f]{32}$/).waitFor();
  await shoot(page, "messages");
  expect(complaints).toEqual([]);
  await page.close();
});

test("the handset answers and calls in; a code is copied at a click", async () => {
  const twilio = twilioOf(suite);
  const { page, complaints } = await look("messages");
  await page.getByRole("option").filter({ hasText: "+12025550110" }).click();
  await page.getByLabel("Reply as +12025550110").fill("On my way, bringing the blue one");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page
    .getByRole("article", { name: /^Received/ })
    .getByText("On my way")
    .waitFor();
  const [answer] = await twilio.messages.list({ from: "+12025550110", limit: 1 });
  expect(answer).toMatchObject({ direction: "inbound", body: "On my way, bringing the blue one" });
  await page.getByRole("button", { name: "Call in" }).click();
  await page.getByText("Called in").waitFor();
  const [call] = await twilio.calls.list({ from: "+12025550110", limit: 1 });
  expect(call).toMatchObject({ direction: "inbound", to: "+12025550100" });
  await shoot(page, "messages-handset");
  await page.getByRole("link", { name: "New", exact: true }).click();
  const [service] = await twilio.verify.v2.services.list({ limit: 1 });
  const made = service ?? (await twilio.verify.v2.services.create({ friendlyName: "Stage door" }));
  await twilio.verify.v2.services(made.sid).verifications.create({ to: "+12025550119", channel: "sms" });
  const row = page.getByRole("table", { name: "Verification codes" }).getByRole("row").filter({ hasText: "0119" });
  await expect.poll(() => row.textContent()).toMatch(/\d{4,10}/);
  await row.getByRole("button", { name: "Copy" }).click();
  await page.getByLabel("From (any number)").fill("+12025550177");
  await page.getByLabel("To (a number of yours)").fill("+12025550100");
  await page.getByLabel("Text").fill("Is this the stage door?");
  await page.getByRole("button", { name: "Write" }).click();
  await page
    .getByRole("article", { name: /^Received/ })
    .getByText("Is this the stage door?")
    .waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

async function clock() {
  return (await control(suite, "GET", "/_backlot/clock")) as { now: string };
}
