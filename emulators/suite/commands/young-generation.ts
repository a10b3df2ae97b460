import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Both halves of it; an eighth of what the engine would take. */
const most = 16 * 2 ** 20;

/**
 * Ends the growth of the engine's young generation. On a machine with much memory it grows to 128 MiB, no cache holds
 * that, and under load every new object then waits for memory: it costs a mail a sixth of its time. The size itself
 * can be given only to a process that starts; how it grows is asked each time, after a collection.
 */
export function boundYoungGeneration(): void {
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    if (young !== undefined && young.space_size < most) return;
    observer.disconnect();
    setFlagsFromString("--semi-space-growth-factor=1");
  });
  observer.observe({ entryTypes: ["gc"] });
}
