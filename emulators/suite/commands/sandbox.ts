/**
 * `--sandbox`: the whole run, suite included, in a network namespace that has loopback and nothing else
 * (Linux). There even a program that connects straight to an address cannot leave.
 */
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { waysOut } from "../evidence/connections.ts";

/** Set inside, so that the second run does not make a third. */
export const sandboxMark = "BACKLOT_SANDBOX";

/** A new namespace's loopback is down; whichever tool is there brings it up. */
const bringUp = "ip link set lo up 2>/dev/null || ifconfig lo up 2>/dev/null || busybox ip link set lo up";
/** As the user it was, where util-linux can do that (2.38); otherwise as a root that is one in name only. */
const ways: readonly (readonly string[])[] = [
  ["--net", "--map-current-user", "--keep-caps"],
  ["--net", "--map-root-user"],
  ["--net"],
];

export const notPermitted = 78;

/** The mark alone shows nothing: anybody can set it, and a container's variables are handed on. What is `leaking` was told. */
export function isInside(): "yes" | "no" | "leaking" {
  if (process.env[sandboxMark] === undefined) return "no";
  const ways = waysOut();
  if (ways.length === 0) return "yes";
  process.stderr.write(
    `${sandboxMark} says that this is the inside of a sandbox, but ${ways.join(", ")} leads out of it. Unset it.\n`,
  );
  return "leaking";
}

/** Runs this same command line again inside, and resolves with its exit code; 78 where no way in is permitted. */
export async function insideSandbox(argv: readonly string[]): Promise<number> {
  const linux = process.platform === "linux";
  const way = linux
    ? ways.find((flags) => spawnSync("unshare", [...flags, "sh", "-c", bringUp]).status === 0)
    : undefined;
  if (!way) {
    const why = linux
      ? "unshare (util-linux) may not make a network namespace here, or nothing brings loopback up in one (ip, ifconfig, busybox)"
      : "network namespaces exist on Linux only";
    process.stderr.write(`--sandbox cannot be had: ${why}.\n`);
    return notPermitted;
  }
  const again = [process.execPath, process.argv[1] ?? "", ...argv];
  const child = spawn("unshare", [...way, "sh", "-c", `${bringUp}; exec "$@"`, "sh", ...again], {
    stdio: "inherit",
    env: { ...process.env, [sandboxMark]: "1" },
  });
  const signals: readonly NodeJS.Signals[] = ["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT"];
  for (const signal of signals)
    process.on(signal, () => {
      if (!(process.stdin.isTTY && (signal === "SIGINT" || signal === "SIGQUIT"))) child.kill(signal);
    });
  return new Promise((resolve) => {
    child.once("error", () => resolve(notPermitted));
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
