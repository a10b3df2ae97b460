/** A suite with something in it, and Chromium to look at it. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createTransport } from "nodemailer";
import { type Browser, chromium, type Page } from "playwright-core";
import { createSuite, type Suite } from "../../emulators/suite/suite.ts";
import { findBrowser } from "../../scripts/browser.mjs";

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: findBrowser() ?? "chromium",
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

export async function startSuite(environment: Record<string, string> = {}): Promise<Suite & { readonly url: string }> {
  const suite = await createSuite({ environment: { BACKLOT_LOG_LEVEL: "silent", ...environment } });
  if (suite.url === undefined) throw new Error("the suite has no address");
  return Object.assign(suite, { url: suite.url });
}

/** `complaints`: errors in the console, exceptions, dialogs, requests to elsewhere. */
export async function openPage(
  browser: Browser,
  url: string,
  options: { readonly dark?: boolean; readonly width?: number } = {},
): Promise<{ page: Page; complaints: string[] }> {
  const page = await browser.newPage({
    viewport: { width: options.width ?? 1280, height: 800 },
    colorScheme: options.dark ? "dark" : "light",
  });
  const complaints: string[] = [];
  page.on("console", (message) => {
    // Chromium drops what is under way when an interface comes or goes on the machine: no doing of the page's.
    if (message.text().includes("net::ERR_NETWORK_CHANGED")) return;
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`left: ${request.url()}`);
  });
  return { page, complaints };
}

/** Kept where BACKLOT_SCREENSHOTS says; nowhere without it. */
export async function shoot(page: Page, name: string): Promise<void> {
  const folder = process.env.BACKLOT_SCREENSHOTS;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

interface Letter {
  readonly from?: string;
  readonly to?: string;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
  readonly attachments?: readonly {
    readonly filename: string;
    readonly content: string | Buffer;
    readonly cid?: string;
  }[];
}

export async function sendMail(suite: Suite, letter: Letter): Promise<void> {
  const { host, port } = suite.services.smtp ?? { host: "", port: 0 };
  const transport = createTransport({ host, port, secure: false, ignoreTLS: true });
  await transport.sendMail({
    from: '"Ada Lovelace" <ada@example.com>',
    to: "ben@example.org",
    subject: "Hello",
    text: "Hello",
    ...letter,
    attachments: [...(letter.attachments ?? [])],
  });
  transport.close();
}

/** Through the wire as an SDK would; answers the sid. */
export async function sendText(suite: Suite, fields: Readonly<Record<string, string>>): Promise<string> {
  const sid = suite.env.TWILIO_ACCOUNT_SID ?? "";
  const response = await fetch(`${suite.services.twilio?.url}/2010-04-01/Accounts/${sid}/Messages.json`, {
    method: "POST",
    headers: {
      authorization: `Basic ${Buffer.from(`${sid}:${suite.env.TWILIO_AUTH_TOKEN}`).toString("base64")}`,
    },
    body: new URLSearchParams({ From: "+12025550100", To: "+12025550110", Body: "Hello", ...fields }),
  });
  const made = (await response.json()) as { sid?: string; message?: string };
  if (made.sid === undefined) throw new Error(made.message ?? `Twilio answered ${response.status}`);
  return made.sid;
}

export async function control(suite: Suite, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await suite.control(method, path, body);
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return text === "" ? undefined : JSON.parse(text);
}
