import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { Suite } from "../../emulators/suite/suite.ts";
import { ec2Of, requestSpot, statusOf, tag } from "../contract/console-data.ts";
import { startReceiver } from "../support/receiver.ts";
import { control, openBrowser, openPage, sendMail, sendText, startSuite } from "./browser.ts";

const shout = "top.shouted=1;parent.shouted=1;alert(1)";
const payloadsFor = (elsewhere: string) => [
  `<script>${shout}</script>`,
  `"><script>${shout}</script>`,
  `'><script>${shout}</script>`,
  `</script><script>${shout}</script>`,
  `</title><script>${shout}</script>`,
  `</textarea><script>${shout}</script>`,
  `--><script>${shout}</script>`,
  `]]><script>${shout}</script>`,
  `<img src=x onerror="${shout}">`,
  `<svg onload="${shout}">`,
  `<svg><script>${shout}</script></svg>`,
  `<body onload="${shout}">`,
  `<iframe src="javascript:${shout}"></iframe>`,
  `<iframe srcdoc="<script>${shout}</script>"></iframe>`,
  `<a href="javascript:${shout}">open</a>`,
  `<details open ontoggle="${shout}">`,
  `<input autofocus onfocus="${shout}">`,
  `<video><source onerror="${shout}"></video>`,
  `<object data="data:text/html,<script>${shout}</script>"></object>`,
  `<embed src="data:text/html,<script>${shout}</script>">`,
  `<meta http-equiv="refresh" content="0;url=${elsewhere}/gone">`,
  `<base href="${elsewhere}/">`,
  `<link rel="stylesheet" href="${elsewhere}/x.css">`,
  `<form action="${elsewhere}/"><button autofocus>go</button></form>`,
  `<style>@import "${elsewhere}/x.css"; body{background:url(${elsewhere}/y)}</style>`,
  `<math><mtext><table><mglyph><style><img src=x onerror="${shout}">`,
  `<template><script>${shout}</script></template><marquee onstart="${shout}">x</marquee>`,
  `javascript:${shout}`,
  `{{constructor.constructor('${shout}')()}}\${${shout}}`,
  `\u202e<img src="cid:x&quot; onerror=&quot;${shout}">\u0000%3Cscript%3E`,
];

let browser: Browser;
let suite: Suite & { readonly url: string };
beforeAll(async () => {
  [browser, suite] = await Promise.all([openBrowser(), startSuite({ BACKLOT_PACE: "0" })]);
});
afterAll(() => Promise.all([browser.close(), suite.close()]));

test("thirty hostile texts in every place execute nothing and lead nowhere", async () => {
  const elsewhere = await startReceiver();
  onTestFinished(() => elsewhere.close());
  const payloads = payloadsFor(elsewhere.url);
  expect(payloads).toHaveLength(30);
  for (const payload of payloads) {
    const line = payload.replaceAll("\u0000", "");
    await sendMail(suite, {
      subject: line,
      from: `"${line.replaceAll(/["\\]/g, "")}" <ada@example.com>`,
      text: payload,
      html: `<p>Before</p>${payload}<img src="cid:${encodeURIComponent(payload)}">`,
      attachments: [{ filename: line.replaceAll("/", "_"), content: payload, cid: "x" }],
    });
    await sendText(suite, { Body: payload });
  }
  const ec2 = ec2Of(suite);
  onTestFinished(() => ec2.destroy());
  const requests: string[] = [];
  for (const [n, payload] of payloads.entries()) {
    const value = payload.replaceAll("\u0000", "");
    const tags = [
      { Key: "Name", Value: value },
      { Key: `${n} ${value}`.slice(0, 120).trim(), Value: value },
    ];
    const [request = ""] = await requestSpot(ec2, 1, tags);
    await expect.poll(async () => (await statusOf(ec2, request)).instance).toMatch(/^i-/);
    const { instance = "" } = await statusOf(ec2, request);
    await tag(ec2, instance, tags);
    requests.push(request, instance);
  }
  await control(suite, "POST", "/_backlot/faults", {
    note: payloads[0],
    match: { path: payloads[8] },
    action: { status: 500, message: payloads[0] },
  });
  await fetch(`${suite.services.twilio?.url}/${encodeURIComponent(payloads[0] ?? "")}`, {
    headers: { "user-agent": payloads[8] ?? "" },
  });

  const { page, complaints } = await openPage(browser, suite.url);
  for (const view of ["overview", "journal", "control", "webhooks", "messages"]) {
    await page.goto(`${suite.url}/#/${view}`);
    await page.waitForTimeout(150);
  }
  await page.getByRole("listbox").getByRole("option").first().click();
  await page.goto(`${suite.url}/#/mail`);
  const { messages } = (await control(suite, "GET", "/_backlot/members/smtp/smtp/messages?limit=100")) as {
    messages: { id: string }[];
  };
  expect(messages.length).toBe(payloads.length);
  for (const { id } of messages) {
    await page.goto(`${suite.url}/#/mail/${id}/html`);
    await page.frameLocator("iframe").getByText("Before").waitFor();
  }
  for (const id of requests) {
    await page.goto(`${suite.url}/#/spot/lives/${id}`);
    await page.locator(".detail").getByText(id).first().waitFor();
  }
  for (const tab of ["text", "headers", "source", "attachments"]) {
    await page.goto(`${suite.url}/#/mail/${messages[0]?.id}/${tab}`);
    await page.waitForTimeout(100);
  }
  expect(await page.evaluate("String(window.shouted)")).toBe("undefined");
  expect(complaints.filter((text) => text.startsWith("dialog:"))).toEqual([]);
  // A refused load is still announced by the browser's tools, so what counts is that nothing arrived.
  expect(elsewhere.calls).toEqual([]);
  expect(page.url()).toContain(suite.url);
  await page.close();
}, 120_000);

test("the page's policy refuses inline script, eval, foreign loads and framing", async () => {
  const { headers } = await fetch(suite.url, { headers: { accept: "text/html" } });
  const policy = headers.get("content-security-policy") ?? "";
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  const body = await (await fetch(suite.url, { headers: { accept: "text/html" } })).text();
  // A block of JSON is data, whatever it holds; everything else of a script is a file of its own.
  expect(body).not.toMatch(/<script(?![^>]*\bsrc=)(?! type="application\/json")|\son\w+=|https?:\/\/(?!www\.w3\.org)/);
});

test("a foreign page may not steer, and captured HTML carries its own sandbox", async () => {
  const response = await fetch(`${suite.url}/_backlot/members/twilio/dead-letters/replay`, {
    method: "POST",
    headers: { origin: "http://evil.example", "content-type": "text/plain" },
    body: "{}",
  });
  expect(response.status).toBe(403);
  await sendMail(suite, { html: "<p>x</p>" });
  const { messages } = (await control(suite, "GET", "/_backlot/members/smtp/smtp/messages?limit=1")) as {
    messages: { id: string }[];
  };
  const html = await fetch(`${suite.url}/_backlot/console/mail/${messages[0]?.id}/html`);
  expect(html.headers.get("content-security-policy")).toMatch(/default-src 'none'.*sandbox$/);
});
