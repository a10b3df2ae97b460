/**
 * Chromium by its own protocol, for measurements: Playwright has every frame of a WebSocket reported to itself, which at two
 * thousand a second costs more than what is measured.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import WebSocket from "ws";
import { findBrowser } from "../../scripts/browser.mjs";

export interface BarePage {
  goto(url: string): Promise<void>;
  /** A promise is waited for. */
  evaluate<T>(expression: string): Promise<T>;
}

export async function openBarePage(): Promise<BarePage> {
  const profile = mkdtempSync(join(tmpdir(), "backlot-browser-"));
  const browser = spawn(
    findBrowser() ?? "chromium",
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--window-size=1280,800",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  onTestFinished(async () => {
    browser.kill();
    await once(browser, "exit");
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  });
  const port = await portOf(browser.stderr);
  const targets = (await (await fetch(`http://127.0.0.1:${port}/json/list`)).json()) as {
    type: string;
    webSocketDebuggerUrl: string;
  }[];
  const target = targets.find(({ type }) => type === "page");
  if (!target) throw new Error("Chromium opened no page");
  const socket = new WebSocket(target.webSocketDebuggerUrl);
  await once(socket, "open");
  let last = 0;
  const call = (method: string, params: unknown) =>
    new Promise<{ result?: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } }>(
      (resolve) => {
        last += 1;
        const id = last;
        const heard = (data: WebSocket.RawData) => {
          const message = JSON.parse(String(data));
          if (message.id !== id) return;
          socket.off("message", heard);
          resolve(message.result);
        };
        socket.on("message", heard);
        socket.send(JSON.stringify({ id, method, params }));
      },
    );
  const evaluate = async <T>(expression: string): Promise<T> => {
    const { result, exceptionDetails } = await call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "the page threw");
    return result?.value as T;
  };
  return {
    evaluate,
    async goto(url) {
      await call("Page.navigate", { url });
    },
  };
}

async function portOf(stderr: AsyncIterable<Buffer>): Promise<string> {
  let text = "";
  for await (const chunk of stderr) {
    text += String(chunk);
    const port = /DevTools listening on ws:\/\/[^:]+:(\d+)\//.exec(text)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error(`Chromium did not start: ${text}`);
}
