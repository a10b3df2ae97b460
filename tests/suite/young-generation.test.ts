import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { packageRoot } from "../../emulators/kernel/package-root.ts";

const file = pathToFileURL(join(packageRoot(), "emulators", "suite", "commands", "young-generation.ts")).href;

/** Much that lives for a while, as under load; prints how many MiB the young generation then has. */
const busy = (bound: boolean) => `
  import { getHeapSpaceStatistics } from "node:v8";
  const { boundYoungGeneration } = await import(${JSON.stringify(file)});
  if (${bound}) boundYoungGeneration();
  const kept = new Array(50_000);
  for (let n = 0; n < 4_000_000; n += 1) {
    kept[n % kept.length] = { n, text: "a" + n, more: [n] };
    if (n % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === "new_space").space_size / 2 ** 20);
`;

test("the young generation stays at the size it was bound to", async () => {
  const size = async (bound: boolean) => {
    const words = ["--import", "tsx", "--input-type=module", "-e", busy(bound)];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { cwd: packageRoot() });
    expect(stderr).toBe("");
    return Number(stdout);
  };
  const [bound, free] = [await size(true), await size(false)];
  expect(bound).toBeLessThanOrEqual(32);
  expect(bound).toBeLessThanOrEqual(free);
});
