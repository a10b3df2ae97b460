/** Pictures of live pages, by whatever Chromium the machine has. They differ between machines. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { afterReal } from "../../kernel/clock.ts";
import type { Environment } from "./run-facts.ts";

const deadlineMs = 60_000;
/** A live page never finishes loading: it is taken for ready when it has shown the same text for so many looks, or at the latest. */
const tallest = 12_000;
const [lookMs, sameLooks, latestMs] = [250, 4, 15_000];

/** CHROMIUM, or the name under which Debian and others install it. */
export function findChromium(environment: Environment): string | undefined {
  const folders = (environment.PATH ?? "").split(delimiter);
  const named = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
    folders.map((folder) => join(folder, name)),
  );
  return [environment.CHROMIUM ?? "", ...named].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return path !== "";
    } catch {
      return false; // no such file, or none that can be run
    }
  });
}

/** Pictures of these pages as PNG, in their order, undefined where a page gave none; none at all when the browser does not do as it is told within a minute. */
export async function screenshots(chromium: string, urls: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
  const folder = mkdtempSync(join(tmpdir(), "backlot-picture-"));
  const child = spawn(
    chromium,
    [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--hide-scrollbars",
      "--window-size=1280,900",
      "--remote-debugging-pipe",
      `--user-data-dir=${folder}`,
    ],
    { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
  );
  const ended = new Promise<undefined>((resolve) => {
    child.once("error", () => resolve(undefined));
    child.once("exit", () => resolve(undefined));
  });
  const cancel = afterReal(deadlineMs, () => child.kill("SIGKILL"));
  try {
    return (await Promise.race([taken(debugging(child), urls), ended])) ?? [];
  } finally {
    cancel();
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Heard {
  readonly targetId?: string;
  readonly sessionId?: string;
  readonly data?: string;
  readonly cssContentSize?: { readonly height: number };
  readonly result?: { readonly value?: unknown };
}
type Ask = (method: string, params: object, session?: string) => Promise<Heard>;

async function taken(ask: Ask, urls: readonly string[]): Promise<readonly (Buffer | undefined)[]> {
  const pictures: (Buffer | undefined)[] = [];
  for (const url of urls) {
    // One after the other: a page that is not in front is not painted.
    const { targetId } = await ask("Target.createTarget", { url });
    const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
    await settled(ask, sessionId);
    const { cssContentSize } = await ask("Page.getLayoutMetrics", {}, sessionId);
    const height = Math.min(cssContentSize?.height ?? 900, tallest);
    const clip = { x: 0, y: 0, width: 1_280, height, scale: 1 };
    const { data } = await ask(
      "Page.captureScreenshot",
      { format: "png", captureBeyondViewport: true, clip },
      sessionId,
    );
    pictures.push(data === undefined ? undefined : Buffer.from(data, "base64"));
  }
  return pictures;
}

/** What stands on the page with its numbers left out: a clock that goes on is no change. */
const shownText = 'document.readyState === "complete" ? document.body.innerText.replace(/[0-9]/g, "") : ""';

async function settled(ask: Ask, session: string | undefined): Promise<void> {
  let [before, same] = ["", 0];
  for (let waited = 0; same < sameLooks && waited < latestMs; waited += lookMs) {
    await new Promise<void>((resolve) => afterReal(lookMs, resolve, true));
    const { result } = await ask("Runtime.evaluate", { expression: shownText, returnByValue: true }, session);
    const text = String(result?.value ?? "").trim();
    same = text !== "" && text === before ? same + 1 : 0;
    before = text;
  }
}

/** Chromium's debugging protocol over its pipe: JSON, each message ended by a zero byte. */
function debugging(child: ChildProcess): Ask {
  const [, , , commands, answers] = child.stdio as unknown as readonly [null, null, null, Writable, Readable];
  const waiting = new Map<number, (result: Heard) => void>();
  let heard = "";
  answers.setEncoding("utf8");
  answers.on("data", (chunk: string) => {
    heard += chunk;
    const messages = heard.split("\0");
    heard = messages.pop() ?? "";
    for (const message of messages) {
      const { id, result } = JSON.parse(message) as { id?: number; result?: Heard };
      if (id !== undefined) waiting.get(id)?.(result ?? {});
    }
  });
  commands.on("error", () => {}); // the browser ended, and that is told by its exit
  let last = 0;
  return (method, params, sessionId) =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      commands.write(
        `${JSON.stringify({ id: last, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`,
      );
    });
}
