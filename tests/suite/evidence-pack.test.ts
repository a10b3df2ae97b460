import { execFileSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { keyFromPem, preAuthEncoding, publicPem } from "../../emulators/suite/evidence/attestation.ts";
import { filesInMemory } from "../../emulators/suite/evidence/files.ts";
import { normalMail } from "../../emulators/suite/evidence/mails.ts";
import { writePack } from "../../emulators/suite/evidence/pack.ts";
import type { Recorded } from "../../emulators/suite/evidence/record.ts";
import { readTar, tarParts } from "../../emulators/suite/evidence/tar.ts";
import { verifyPack } from "../../emulators/suite/evidence/verify.ts";
import { run, temporaryFolder } from "../support/command.ts";
import { hash, packFolder, packTar, recordPack, start } from "../support/evidence.ts";

let drill: Recorded;
beforeAll(async () => {
  drill = await recordPack("dead-letter-drill");
});

const strangerKey = () =>
  keyFromPem(generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }).toString());

describe("a pack as recorded", () => {
  test("is whole, as a folder and as an archive", () => {
    const folder = packFolder(drill);
    const verdict = verifyPack(folder);
    expect(verdict).toMatchObject({ code: 0, findings: [], signature: "integrity only" });
    const archive = join(temporaryFolder(), "pack.tar");
    writeFileSync(archive, packTar(drill.files, start));
    expect(verifyPack(archive, { sha256: verdict.fingerprint })).toMatchObject({
      code: 0,
      fingerprint: verdict.fingerprint,
    });
    expect(hash(readFileSync(archive))).toBe(verdict.fingerprint);
  });

  test("sha256sum, GNU tar and openssl, which know nothing of Backlot, accept it", () => {
    const folder = packFolder(drill);
    execFileSync("sha256sum", ["-c", "--strict", "--quiet", "SHA256SUMS"], { cwd: folder });
    execFileSync("sha256sum", ["-c", "--strict", "--quiet", "SHA256SUMS"], { cwd: join(folder, "volatile") });
    const place = temporaryFolder();
    writeFileSync(join(place, "pack.tar"), packTar(drill.files, start));
    mkdirSync(join(place, "out"));
    execFileSync("tar", ["-xf", "pack.tar", "-C", "out"], { cwd: place });
    expect(verifyPack(join(place, "out")).findings.map(({ path }) => path)).toEqual(["volatile/SHA256SUMS"]);
    const envelope = JSON.parse(readFileSync(join(folder, "attestation.dsse.json"), "utf8")) as {
      payload: string;
      payloadType: string;
      signatures: [{ sig: string }];
    };
    const payload = Buffer.from(envelope.payload, "base64");
    const type = envelope.payloadType;
    writeFileSync(join(place, "signed"), `DSSEv1 ${type.length} ${type} ${payload.length} ${payload.toString("utf8")}`);
    writeFileSync(join(place, "sig"), Buffer.from(envelope.signatures[0].sig, "base64"));
    const args = [
      "pkeyutl",
      "-verify",
      "-rawin",
      "-pubin",
      "-inkey",
      join(folder, "signing-key.pub.pem"),
      "-sigfile",
      "sig",
      "-in",
      "signed",
    ];
    expect(execFileSync("openssl", args, { cwd: place, encoding: "utf8" })).toContain("Verified Successfully");
  });

  test("holds the drill with its verdict, every attempt, and the steps as test cases", () => {
    const read = (path: string) => drill.files.get(path)?.toString("utf8") ?? "";
    expect(JSON.parse(read("deadletter/drill.json"))).toMatchObject({
      deadLettered: 10,
      replayed: 10,
      deliveredAfterReplay: 10,
      leftInDeadLetters: 0,
      verdict: "passed",
    });
    const { steps, letters } = JSON.parse(read("deadletter/drill.json"));
    expect(steps).toHaveLength(15);
    expect(steps[0]).toEqual({
      order: "0001",
      name: expect.any(String),
      at: "2026-01-01T09:00:00.000Z",
      result: "passed",
    });
    for (const { bodySha256, attempts } of letters) {
      expect(hash(drill.files.get(`webhooks/bodies/${bodySha256}`) ?? "")).toBe(bodySha256);
      expect(attempts.map(({ status }: { status: number }) => status)).toEqual([500, 500, 500, 500, 200]);
      expect(read("deadletter/drill.md")).toContain(`| delivered | ${bodySha256} |`);
    }
    expect(read("webhooks/deliveries.jsonl").trim().split("\n")).toHaveLength(50);
    expect(JSON.parse(read("webhooks/rejections.json"))).toMatchObject([{ report: { results: expect.any(Array) } }]);
    expect(read("tests/junit.xml")).toContain('tests="15" failures="0"');
    expect(read("smtp/000001.transcript.txt")).toContain("C: RCPT TO:<guest-1@customer.example>");
    expect(JSON.parse(read("realmode/smtp.json"))).toMatchObject({
      status: 503,
      greeting: expect.stringMatching(/^421 4\.3\.2/),
    });
    const report = read("report/index.html");
    expect(report).not.toMatch(/<script|https?:\/\/(?!app\.receiver\.test)/);
    const shown = [...report.matchAll(/href="\.\.\/([^"]+)"/g)].map(([, path = ""]) => path);
    expect(shown).toContain("deadletter/drill.md");
    expect(shown.filter((path) => !drill.files.has(path))).toEqual([]);
    expect(report).toMatch(/<td>[\d.]+<\/td><td>[^<]+ \(5 times\)<\/td><td class="ok">passed/);
  });

  test("signed with a key of its own it needs that key, and no other", () => {
    const pair = generateKeyPairSync("ed25519");
    const key = keyFromPem(pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString());
    return recordPack("dead-letter-drill", { key }).then((recorded) => {
      const folder = packFolder(recorded);
      expect(verifyPack(folder, { key: publicPem(key.key) })).toMatchObject({ code: 0, signature: "valid" });
      expect(verifyPack(folder)).toMatchObject({ code: 2 });
      expect(verifyPack(folder, { key: publicPem(strangerKey().key) })).toMatchObject({ code: 2 });
    });
  });
});

describe("parts", () => {
  test("the vector of the DSSE specification", () => {
    expect(preAuthEncoding("http://example.com/HelloWorld", Buffer.from("hello world")).toString()).toBe(
      "DSSEv1 29 http://example.com/HelloWorld 11 hello world",
    );
  });

  test("what is written to an archive is read from it", () => {
    const name = fc.stringMatching(/^[a-z0-9]{1,40}(\/[a-z0-9]{1,40}){0,4}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.uint8Array({ maxLength: 1500 })), (given) => {
        const files = new Map(Object.entries(given).map(([path, bytes]) => [path, Buffer.from(bytes)] as const));
        const read = readTar(Buffer.concat([...tarParts(filesInMemory(files), 0)]));
        expect(read.problems).toEqual([]);
        expect(new Map(read.files)).toEqual(new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1))));
      }),
      { numRuns: 50 },
    );
  });

  test("mail of a client that draws boundaries, dates and ids is the same in normal form", () => {
    const mail = (boundary: string, id: string, date: string) =>
      `Received: from ${id}\r\n by x\r\nDate: ${date}\r\nMessage-ID: <${id}@host.test>\r\nReferences: <${id}@host.test> <other@x.test>\r\nContent-Type: multipart/mixed;\r\n boundary="${boundary}"\r\n\r\n--${boundary}\r\n\r\nDate: tomorrow\r\n--${boundary}--\r\n`;
    const at = "2026-01-01T09:00:00.000Z";
    const one = normalMail(mail("--_NmP-1a", "1", "Fri, 01 Jan 2021 00:00:00 +0100"), at);
    const two = normalMail(mail("=====99==", "2", "Sat, 02 Jan 2021 00:00:00 +0000"), at);
    expect(one.text).toBe(two.text);
    expect(one.text).toContain("Date: tomorrow");
    expect(one.text).toContain("<m-000001@norm> <m-000002@norm>");
    expect(one.replaced.map(({ what }) => what)).toContain("boundary 1");
  });

  test("an interrupted recording leaves a folder that says so and does not verify", async () => {
    const place = temporaryFolder();
    const folder = join(place, "pack");
    const unwritable = filesInMemory(new Map([...drill.files, ["README.md/impossible", Buffer.from("x")]]));
    expect(() => writePack(folder, unwritable)).toThrow();
    expect(readdirSync(place)).toEqual(["pack.partial"]);
    expect(() => verifyPack(folder)).toThrow(/pack\.partial is what an interrupted recording left/);
    expect(() => verifyPack(`${folder}.partial`)).toThrow("it is what an interrupted recording left");
    const told = await run(["evidence", "verify", folder]);
    expect(told.code).toBe(3);
  });
});
