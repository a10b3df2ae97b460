/** The floor of a large answer: the same bytes from a server that has them ready. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { script, startServer } from "../server-process.ts";

export async function withConstantFloor(
  body: string,
  contentType: string,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "backlot-bench-body-"));
  try {
    const path = join(folder, "body");
    writeFileSync(path, body);
    const server = await startServer(script("floors/constant-body.ts", path, contentType));
    const { port } = JSON.parse(server.readyLine) as { port: number };
    await use(`http://127.0.0.1:${port}`);
    await server.stop();
  } finally {
    rmSync(folder, { recursive: true });
  }
}
