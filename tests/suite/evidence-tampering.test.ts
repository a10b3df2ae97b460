import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { attest, derivedKey, keyFromPem, publicPem } from "../../emulators/suite/evidence/attestation.ts";
import { filesInMemory } from "../../emulators/suite/evidence/files.ts";
import type { Recorded } from "../../emulators/suite/evidence/record.ts";
import { readTar } from "../../emulators/suite/evidence/tar.ts";
import { readTree } from "../../emulators/suite/evidence/tree.ts";
import { verifyPack, verifyTree } from "../../emulators/suite/evidence/verify.ts";
import { temporaryFolder } from "../support/command.ts";
import { hash, packFolder, packTar, recordPack, start } from "../support/evidence.ts";

let drill: Recorded;
beforeAll(async () => {
  drill = await recordPack("dead-letter-drill");
});

const edit = (path: string, change: (text: string) => string) =>
  writeFileSync(path, change(readFileSync(path, "latin1")), "latin1");
/** Writes SHA256SUMS anew over what is there, as somebody who covers tracks would. */
function recount(folder: string): void {
  const files = [...readTree(folder).files].filter(
    ([path]) => !path.startsWith("volatile/") && path !== "SHA256SUMS" && path !== "attestation.dsse.json",
  );
  files.sort(([left], [right]) => (left < right ? -1 : 1));
  writeFileSync(join(folder, "SHA256SUMS"), files.map(([path, bytes]) => `${hash(bytes)}  ${path}\n`).join(""));
}
/** The same for the manifest. */
function redescribe(folder: string): void {
  edit(join(folder, "manifest.json"), (text) => {
    const manifest = JSON.parse(text) as { files: { path: string; bytes: number; sha256: string }[] };
    const files = manifest.files.flatMap((file) => {
      try {
        const bytes = readFileSync(join(folder, file.path));
        return [{ ...file, bytes: bytes.length, sha256: hash(bytes) }];
      } catch {
        return []; // dropped from the folder, so dropped from the list
      }
    });
    return `${JSON.stringify({ ...manifest, files }, undefined, 2)}\n`;
  });
}
function resign(
  folder: string,
  key = derivedKey("backlot"),
  predicate: Record<string, unknown> = { seed: "backlot" },
): void {
  recount(folder);
  const sums = readFileSync(join(folder, "SHA256SUMS"));
  writeFileSync(join(folder, "attestation.dsse.json"), attest("SHA256SUMS", sums, predicate, key));
}
const strangerKey = () =>
  keyFromPem(generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString());
const someBody = (folder: string) => `webhooks/bodies/${readdirSync(join(folder, "webhooks/bodies"))[0]}`;

interface Tampering {
  readonly what: string;
  readonly code: 1 | 2;
  /** A finding that must be among those told. */
  readonly named: { readonly check: string; readonly path?: string | RegExp };
  readonly how: (folder: string) => void;
}

const tamperings: readonly Tampering[] = [
  {
    what: "a byte of mode.json",
    code: 1,
    named: { check: "changed", path: "mode.json" },
    how: (f) => edit(join(f, "mode.json"), (t) => t.replace("mock", "mick")),
  },
  {
    what: "a byte of a HAR",
    code: 1,
    named: { check: "changed", path: "http/smtp.har" },
    how: (f) => edit(join(f, "http/smtp.har"), (t) => t.replace("Backlot", "backlot")),
  },
  {
    what: "a byte appended to a message",
    code: 1,
    named: { check: "changed", path: "smtp/000001.norm.eml" },
    how: (f) => edit(join(f, "smtp/000001.norm.eml"), (t) => `${t}x`),
  },
  {
    what: "a message cut off",
    code: 1,
    named: { check: "changed", path: "smtp/000002.norm.eml" },
    how: (f) => edit(join(f, "smtp/000002.norm.eml"), (t) => t.slice(0, -1)),
  },
  {
    what: "a file emptied",
    code: 1,
    named: { check: "changed", path: "smtp/messages.json" },
    how: (f) => writeFileSync(join(f, "smtp/messages.json"), ""),
  },
  {
    what: "line ends changed",
    code: 1,
    named: { check: "changed", path: "README.md" },
    how: (f) => edit(join(f, "README.md"), (t) => t.replaceAll("\n", "\r\n")),
  },
  {
    what: "two messages exchanged",
    code: 1,
    named: { check: "changed", path: "smtp/000001.norm.eml" },
    how: (f) => {
      renameSync(join(f, "smtp/000001.norm.eml"), join(f, "smtp/x"));
      renameSync(join(f, "smtp/000002.norm.eml"), join(f, "smtp/000001.norm.eml"));
      renameSync(join(f, "smtp/x"), join(f, "smtp/000002.norm.eml"));
    },
  },
  {
    what: "attempts reordered",
    code: 1,
    named: { check: "changed", path: "webhooks/deliveries.jsonl" },
    how: (f) => edit(join(f, "webhooks/deliveries.jsonl"), (t) => `${t.trimEnd().split("\n").reverse().join("\n")}\n`),
  },
  {
    what: "a file dropped",
    code: 1,
    named: { check: "missing", path: "deadletter/drill.md" },
    how: (f) => rmSync(join(f, "deadletter/drill.md")),
  },
  {
    what: "a folder dropped",
    code: 1,
    named: { check: "missing", path: "deadletter/drill.json" },
    how: (f) => rmSync(join(f, "deadletter"), { recursive: true }),
  },
  {
    what: "a webhook body dropped",
    code: 1,
    named: { check: "missing", path: /^webhooks\/bodies\// },
    how: (f) => rmSync(join(f, someBody(f))),
  },
  {
    what: "a file added",
    code: 1,
    named: { check: "extra", path: "smtp/000099.norm.eml" },
    how: (f) => writeFileSync(join(f, "smtp/000099.norm.eml"), "From: x\r\n"),
  },
  {
    what: "a hidden file added",
    code: 1,
    named: { check: "extra", path: ".hidden" },
    how: (f) => writeFileSync(join(f, ".hidden"), "x"),
  },
  {
    what: "an empty folder added",
    code: 1,
    named: { check: "entry", path: "more" },
    how: (f) => mkdirSync(join(f, "more")),
  },
  {
    what: "a file renamed",
    code: 1,
    named: { check: "extra", path: "health2.json" },
    how: (f) => renameSync(join(f, "health.json"), join(f, "health2.json")),
  },
  { what: "a name with a space", code: 1, named: { check: "entry" }, how: (f) => writeFileSync(join(f, "a b"), "x") },
  {
    what: "a file replaced by a link to its copy",
    code: 1,
    named: { check: "entry", path: "health.json" },
    how: (f) => {
      const elsewhere = join(temporaryFolder(), "copy");
      renameSync(join(f, "health.json"), elsewhere);
      symlinkSync(elsewhere, join(f, "health.json"));
    },
  },
  {
    what: "a folder replaced by a link",
    code: 1,
    named: { check: "entry", path: "deadletter" },
    how: (f) => {
      const elsewhere = join(temporaryFolder(), "copy");
      cpSync(join(f, "deadletter"), elsewhere, { recursive: true });
      rmSync(join(f, "deadletter"), { recursive: true });
      symlinkSync(elsewhere, join(f, "deadletter"));
    },
  },
  {
    what: "the manifest edited",
    code: 1,
    named: { check: "manifest", path: "manifest.json" },
    how: (f) => edit(join(f, "manifest.json"), (t) => t.replace(/"bytes": \d+/, '"bytes": 1')),
  },
  {
    what: "the manifest unreadable",
    code: 1,
    named: { check: "manifest" },
    how: (f) => writeFileSync(join(f, "manifest.json"), "{}"),
  },
  {
    what: "a file, the manifest and the sums edited together",
    code: 2,
    named: { check: "signature", path: "SHA256SUMS" },
    how: (f) => {
      edit(join(f, "health.json"), (t) => t.replace("healthy", "unhealthy"));
      redescribe(f);
      recount(f);
    },
  },
  {
    what: "a file dropped, the manifest and the sums edited together",
    code: 2,
    named: { check: "signature", path: "SHA256SUMS" },
    how: (f) => {
      rmSync(join(f, "deadletter/drill.md"));
      redescribe(f);
      recount(f);
    },
  },
  {
    what: "a sum edited",
    code: 2,
    named: { check: "changed", path: "README.md" },
    how: (f) => edit(join(f, "SHA256SUMS"), (t) => t.replace(/^[0-9a-f]{64}(?= {2}README)/m, "0".repeat(64))),
  },
  {
    what: "the sums reordered",
    code: 2,
    named: { check: "list", path: "SHA256SUMS" },
    how: (f) => edit(join(f, "SHA256SUMS"), (t) => `${t.trimEnd().split("\n").reverse().join("\n")}\n`),
  },
  {
    what: "a path that leads out in the sums",
    code: 2,
    named: { check: "missing", path: "../outside" },
    how: (f) => edit(join(f, "SHA256SUMS"), (t) => `${"0".repeat(64)}  ../outside\n${t}`),
  },
  {
    what: "a line of the sums malformed",
    code: 2,
    named: { check: "list", path: "SHA256SUMS" },
    how: (f) => edit(join(f, "SHA256SUMS"), (t) => t.replace("  ", " ")),
  },
  {
    what: "the sums dropped",
    code: 2,
    named: { check: "missing", path: "SHA256SUMS" },
    how: (f) => rmSync(join(f, "SHA256SUMS")),
  },
  {
    what: "the attestation dropped",
    code: 2,
    named: { check: "signature", path: "attestation.dsse.json" },
    how: (f) => rmSync(join(f, "attestation.dsse.json")),
  },
  {
    what: "the signature of the volatile list put in its place",
    code: 2,
    named: { check: "signature", path: "attestation.dsse.json" },
    how: (f) => cpSync(join(f, "volatile/attestation.dsse.json"), join(f, "attestation.dsse.json")),
  },
  {
    what: "a byte of the signature",
    code: 2,
    named: { check: "signature" },
    how: (f) =>
      edit(join(f, "attestation.dsse.json"), (t) =>
        t.replace(/("sig":")(.)/, (_, head: string, first: string) => head + (first === "A" ? "B" : "A")),
      ),
  },
  {
    what: "the signed statement edited",
    code: 2,
    named: { check: "signature" },
    how: (f) =>
      edit(join(f, "attestation.dsse.json"), (t) => {
        const envelope = JSON.parse(t) as { payload: string };
        const payload = Buffer.from(envelope.payload, "base64").toString().replace("passed", "failed");
        return JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString("base64") });
      }),
  },
  {
    what: "the type of the payload edited",
    code: 2,
    named: { check: "signature" },
    how: (f) => edit(join(f, "attestation.dsse.json"), (t) => t.replace("in-toto+json", "in-toto+jsom")),
  },
  {
    what: "signed anew by a stranger",
    code: 2,
    named: { check: "signature", path: "attestation.dsse.json" },
    how: (f) => resign(f, strangerKey()),
  },
  {
    what: "signed anew by a stranger who put his key beside it",
    code: 2,
    named: { check: "signature", path: "signing-key.pub.pem" },
    how: (f) => {
      const key = strangerKey();
      writeFileSync(join(f, "signing-key.pub.pem"), publicPem(key.key));
      redescribe(f);
      resign(f, key);
    },
  },
  {
    what: "another seed claimed, with a stale key",
    code: 2,
    named: { check: "signature" },
    how: (f) => {
      edit(join(f, "mode.json"), (t) => t.replace('"seed": "backlot"', '"seed": "other"'));
      redescribe(f);
      resign(f);
    },
  },
  {
    what: "a volatile file edited",
    code: 1,
    named: { check: "changed", path: "volatile/host.json" },
    how: (f) => edit(join(f, "volatile/host.json"), (t) => `${t} `),
  },
  {
    what: "a volatile file added",
    code: 1,
    named: { check: "extra", path: "volatile/more.png" },
    how: (f) => writeFileSync(join(f, "volatile/more.png"), "x"),
  },
  {
    what: "a volatile file and its list edited together",
    code: 2,
    named: { check: "signature", path: "volatile/SHA256SUMS" },
    how: (f) => {
      writeFileSync(join(f, "volatile/host.json"), "{}\n");
      edit(join(f, "volatile/SHA256SUMS"), (t) => t.replace(/^.{64}(?= {2}host)/m, hash("{}\n")));
    },
  },
  // Whoever can derive the key can sign anew. What was recorded still has to agree with itself.
  {
    what: "an attempt dropped and everything signed anew",
    code: 1,
    named: { check: "agreement", path: "webhooks/deliveries.jsonl" },
    how: (f) => {
      edit(join(f, "webhooks/deliveries.jsonl"), (t) => t.slice(t.indexOf("\n") + 1));
      redescribe(f);
      resign(f);
    },
  },
  {
    what: "a webhook body forged and everything signed anew",
    code: 1,
    named: { check: "agreement", path: "webhooks/deliveries.jsonl" },
    how: (f) => {
      const old = someBody(f);
      const forged = readFileSync(join(f, old), "utf8").replace("email", "e-mail");
      rmSync(join(f, old));
      writeFileSync(join(f, `webhooks/bodies/${hash(forged)}`), forged);
      edit(join(f, "webhooks/deliveries.jsonl"), (t) => t.replaceAll(old.slice(16), hash(forged)));
      edit(join(f, "manifest.json"), (t) => t.replaceAll(old, `webhooks/bodies/${hash(forged)}`));
      redescribe(f);
      edit(join(f, "manifest.json"), (t) => {
        const manifest = JSON.parse(t) as { files: { path: string }[] };
        manifest.files.sort((left, right) => (left.path < right.path ? -1 : 1));
        return `${JSON.stringify(manifest, undefined, 2)}\n`;
      });
      resign(f);
    },
  },
  {
    what: "the drill's counts edited and everything signed anew",
    code: 1,
    named: { check: "agreement", path: "deadletter/drill.json" },
    how: (f) => {
      edit(join(f, "deadletter/drill.json"), (t) => t.replace('"deadLettered": 10', '"deadLettered": 9'));
      redescribe(f);
      resign(f);
    },
  },
  {
    what: "an attempt taken out of the drill's log and everything signed anew",
    code: 1,
    named: { check: "agreement", path: "deadletter/drill.json" },
    how: (f) => {
      edit(join(f, "deadletter/drill.json"), (t) => {
        const log = JSON.parse(t) as { letters: { attempts: unknown[] }[] };
        log.letters[0]?.attempts.pop();
        return `${JSON.stringify(log, undefined, 2)}\n`;
      });
      redescribe(f);
      resign(f);
    },
  },
  {
    what: "a credential slipped in and everything signed anew",
    code: 1,
    named: { check: "secret", path: "README.md" },
    how: (f) => {
      edit(join(f, "README.md"), (t) => `${t}\nghp_${"a1B2".repeat(9)}\n`);
      redescribe(f);
      resign(f);
    },
  },
];

describe("tampering is told and named", () => {
  test.each(tamperings)("$what", ({ how, named, code }) => {
    const folder = packFolder(drill);
    how(folder);
    const verdict = verifyPack(folder);
    const about = ({ check, path }: { check: string; path: string }) =>
      check === named.check &&
      (named.path === undefined || (typeof named.path === "string" ? path === named.path : named.path.test(path)));
    expect(verdict.findings.filter(about), JSON.stringify(verdict.findings)).not.toEqual([]);
    expect(verdict.code).toBe(code);
  });

  test("a flipped byte anywhere in any file", () => {
    const paths = [...drill.files.keys()];
    fc.assert(
      fc.property(fc.constantFrom(...paths), fc.nat(), fc.integer({ min: 1, max: 255 }), (path, place, mask) => {
        const bytes = Buffer.from(drill.files.get(path) ?? Buffer.alloc(0));
        if (bytes.length === 0) return;
        bytes[place % bytes.length] = (bytes[place % bytes.length] ?? 0) ^ mask;
        const files = filesInMemory(new Map([...drill.files, [path, bytes]]));
        const { code, findings } = verifyTree({ kind: "folder", files, problems: [] });
        // A space in a JSON envelope, or base64 padding, may be another byte for the same content.
        if (path.endsWith(".dsse.json") && findings.length === 0) return;
        expect(code).not.toBe(0);
        expect(
          findings.some((finding) => finding.path === path || /SHA256SUMS|manifest|attestation/.test(finding.path)),
        ).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    ["cut off", (tar: Buffer) => tar.subarray(0, tar.length - 5_000)],
    ["a header damaged", (tar: Buffer) => Buffer.concat([Buffer.from("X"), tar.subarray(1)])],
    ["something after its end", (tar: Buffer) => Buffer.concat([tar, Buffer.from("more")])],
    ["other times", () => packTar(drill.files, start + 1_000)],
  ] as const)("an archive: %s", (_, how) => {
    const archive = join(temporaryFolder(), "pack.tar");
    writeFileSync(archive, how(packTar(drill.files, start)));
    expect(verifyPack(archive).code).not.toBe(0);
  });

  test("an archive with a link or a path that leads out", () => {
    const place = temporaryFolder();
    writeFileSync(join(place, "x"), "x");
    symlinkSync("/etc/passwd", join(place, "link"));
    execFileSync(
      "tar",
      ["--format=ustar", "-cPf", "evil.tar", "../x", "link"].map((one) =>
        one === "../x" ? `../${place.split("/").at(-1)}/x` : one,
      ),
      { cwd: place },
    );
    const { problems } = readTar(readFileSync(join(place, "evil.tar")));
    expect(problems.join("\n")).toMatch(/x: a path that a pack does not use[\s\S]*link: not a plain file/);
  });
});
