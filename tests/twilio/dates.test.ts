/** Dates of the 2010 API, which are put together by hand because lists are full of them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { rfc2822 } from "../../emulators/twilio/wire/dates.ts";

test("any instants, in any order, are what the platform says of them", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_000_000_000_000 })), (instants) => {
      expect(instants.map(rfc2822)).toEqual(instants.map((at) => new Date(at).toUTCString().replace("GMT", "+0000")));
    }),
  );
  expect(rfc2822(Date.parse("2023-08-24T05:01:45.999Z"))).toBe("Thu, 24 Aug 2023 05:01:45 +0000");
});
