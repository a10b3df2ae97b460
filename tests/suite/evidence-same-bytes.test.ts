import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { comparePacks } from "../../emulators/suite/evidence/diff.ts";
import { readTree } from "../../emulators/suite/evidence/tree.ts";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import { run, temporaryFolder } from "../support/command.ts";
import { hash, packFolder, packTar, recordPack, scenarioFile, start } from "../support/evidence.ts";

describe("the same bytes", () => {
  test("whatever the folder, time zone, locale, user and ports, with 1 and with 16 at once", async () => {
    const place = temporaryFolder();
    const record = async (name: string, out: string, concurrency: string, env: Record<string, string>) => {
      const folder = join(place, out, name);
      const finished = await run(
        [
          "evidence",
          "record",
          "--scenario",
          scenarioFile(name),
          "--out",
          join(place, out),
          "--name",
          name,
          "--concurrency",
          concurrency,
        ],
        { env },
      );
      expect(finished).toMatchObject({ code: 0, stderr: "" });
      return folder;
    };
    const west = { TZ: "America/St_Johns", LC_ALL: "C", USER: "ci" };
    const east = { TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8", USER: "root", HOME: place };
    for (const name of ["message-callbacks", "real-mode-refused"]) {
      const folders = await Promise.all([record(name, "a", "1", west), record(name, "some/where/else", "16", east)]);
      const [one, two] = folders.map((folder) => packTar(readTree(folder).files, start));
      expect(one?.equals(two ?? Buffer.alloc(0))).toBe(true);
      const [left = "", right = ""] = folders;
      expect(verifyPack(right, { sha256: hash(one ?? "") })).toMatchObject({ code: 0, findings: [] });
      expect(comparePacks(left, right)).toEqual({ identical: true, differences: [] });
    }
  }, 90_000);

  test("the commands that make an archive, verify it and compare say the same", async () => {
    const recorded = await recordPack("real-mode-refused");
    const [one, two] = [packFolder(recorded), packFolder(recorded)];
    const [made, compared] = await Promise.all([
      run(["evidence", "tar", one, "--out", `${one}.tar`]),
      run(["evidence", "diff", one, two]),
    ]);
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(recorded.fingerprint) });
    expect(hash(readFileSync(`${one}.tar`))).toBe(recorded.fingerprint);
    expect(compared).toMatchObject({ code: 0, stdout: "identical\n" });
    const verified = await run(["evidence", "verify", `${one}.tar`, "--sha256", recorded.fingerprint, "--json"]);
    expect(JSON.parse(verified.stdout)).toMatchObject({ code: 0, findings: [] });
  });

  test("what is no pack, no archive and no key is told apart from a pack that was changed", async () => {
    const folder = packFolder(await recordPack("real-mode-refused"));
    const [tar, zipped] = [`${folder}.tar`, `${folder}.tar.gz`];
    await run(["evidence", "tar", folder, "--out", tar]);
    writeFileSync(zipped, gzipSync(readFileSync(tar)));
    const shelf = join(temporaryFolder(), "shelf");
    cpSync(folder, join(shelf, "mine"), { recursive: true });
    const text = scenarioFile("real-mode-refused");
    for (const [path, said] of [
      [zipped, /is compressed.*gunzip it first/],
      [text, /real-mode-refused\.yaml is no archive of a pack/],
      [shelf, /shelf is no pack: there is no manifest\.json in it; .*shelf\/mine is one/],
    ] as const)
      expect(await run(["evidence", "verify", path])).toMatchObject({
        code: 3,
        stdout: "",
        stderr: expect.stringMatching(said),
      });
    expect(await run(["evidence", "verify", folder, "--key", text])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/--key .*yaml holds no usable key\. One is made by: openssl genpkey/),
    });
    expect((await run(["evidence", "verfy", folder])).stderr).toContain("no verfy; did you mean verify?");
  });

  test("what is no pack is not compared", () => {
    expect(() => comparePacks(temporaryFolder(), temporaryFolder())).toThrow(/is no pack: there is no manifest\.json/);
  });

  test("another scenario differs, and the difference is explained from mode.json on", async () => {
    const [one, two] = [
      packFolder(await recordPack("dead-letter-drill")),
      packFolder(await recordPack("message-callbacks")),
    ];
    const { identical, differences } = comparePacks(one, two);
    expect(identical).toBe(false);
    expect(differences[0]).toMatchObject({ path: "mode.json", kind: "changed" });
    expect(differences[0]?.fields.join("\n")).toMatch(/scenario\.name: "dead-letter-drill" -> "message-callbacks"/);
    expect(differences.find(({ path }) => path === "http/twilio.har")?.kind).toBe("added");
  });
});
