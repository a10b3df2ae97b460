/** Two viewers of the live journal: how long each waits to see what happens. */
import { afterReal, stopwatch } from "../../kernel/clock.ts";
import type { Suite } from "../suite.ts";

const deadlineMs = 5_000;

/** @returns milliseconds by viewer; a viewer that saw nothing within five seconds is missing */
export async function timeViewers(suite: Suite): Promise<readonly number[]> {
  if (suite.url === undefined) return [];
  const { token } = JSON.parse(await (await suite.control("POST", "/_backlot/events/token")).text()) as {
    token: string;
  };
  const stop = new AbortController();
  const cancel = afterReal(deadlineMs, () => stop.abort());
  try {
    const url = `${suite.url}/_backlot/events?token=${encodeURIComponent(token)}`;
    const streams = await Promise.all([1, 2].map(() => fetch(url, { signal: stop.signal })));
    const elapsed = stopwatch();
    const seen = Promise.all(streams.map((stream) => firstData(stream, elapsed)));
    await fetch(`${suite.services.smtp?.url}/api/v2/messages?limit=1`);
    return (await seen).filter((ms) => ms !== undefined);
  } finally {
    cancel();
    stop.abort();
  }
}

async function firstData(stream: Response, elapsed: () => number): Promise<number | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of stream.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (/^data: .*\/api\/v2\/messages/m.test(text)) return elapsed();
    }
  } catch (cause) {
    if (!(cause instanceof DOMException && cause.name === "AbortError")) throw cause; // its time was up: it saw nothing
  }
  return undefined;
}
