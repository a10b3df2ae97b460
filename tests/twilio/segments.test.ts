import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countSegments, encodingOf } from "../../emulators/twilio/domain/segments.ts";

const vectors: readonly [unit: string, times: number, segments: number][] = [
  ["x", 0, 1],
  ["x", 160, 1],
  ["x", 161, 2],
  ["x", 306, 2],
  ["x", 307, 3],
  ["x", 459, 3],
  ["x", 460, 4],
  ["x", 1600, 11],
  ["й", 70, 1],
  ["й", 71, 2],
  ["й", 134, 2],
  ["й", 135, 3],
  ["€", 80, 1],
  ["€", 81, 2],
  ["👍", 35, 1],
  ["👍", 36, 2],
  ["`", 71, 2],
  ["\r\n", 80, 1],
  ["\r\n", 81, 2],
];

describe("segments of a body", () => {
  test.each(vectors)("%j repeated %i times takes %i", (unit, times, segments) => {
    expect(countSegments(unit.repeat(times))).toBe(segments);
  });

  test("a euro sign that does not fit moves whole to the next part", () => {
    // 152 + 2 septets do not fit into 153; were the sign split, two parts would do.
    expect(countSegments(`${"x".repeat(152)}€${"x".repeat(151)}`)).toBe(2);
    expect(countSegments(`${"x".repeat(152)}€${"x".repeat(152)}`)).toBe(3);
  });

  test("a cluster of several code points is never split", () => {
    const family = "👨‍👩‍👧"; // 8 units
    expect(countSegments(`${"й".repeat(60)}${family}${"й".repeat(59)}`)).toBe(2);
    expect(countSegments(`${"й".repeat(60)}${family}${"й".repeat(60)}`)).toBe(3);
  });

  test("the GSM alphabet has the extension table, but no tab, lower-case cedilla or backtick", () => {
    expect(encodingOf("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ^{}\\[~]|€ÆæßÉ !\"#¤%&'()*+,-./09:;<=>?¡AZÄÖÑÜ§¿azäöñüà\f")).toBe(
      "GSM-7",
    );
    for (const character of ["\t", "ç", "`", "“", "–", "α"]) expect(encodingOf(character)).toBe("UCS-2");
  });

  test("counting by the fast paths equals counting character by character", () => {
    const gsm = fc.constantFrom(..."aZ 9@ñ€{\n");
    fc.assert(
      fc.property(fc.array(gsm, { maxLength: 400 }), (characters) => {
        const sizes = characters.map((character) => ("€{".includes(character) ? 2 : 1));
        const total = sizes.reduce((sum, size) => sum + size, 0);
        let parts = 1;
        let used = 0;
        for (const size of sizes) {
          if (used + size > 153) {
            parts += 1;
            used = 0;
          }
          used += size;
        }
        expect(countSegments(characters.join(""))).toBe(total <= 160 ? 1 : parts);
      }),
      { numRuns: 200 },
    );
  });
});
