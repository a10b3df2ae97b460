/** Instance types, regions and zones. */
import { expect, test } from "vitest";
import { createCatalogue } from "../../emulators/ec2-spot/domain/catalogue.ts";
import { regionNamed, regions, zoneNames } from "../../emulators/ec2-spot/domain/regions.ts";

const catalogue = createCatalogue();

test.each([
  ["m5.large", 2, 8, 0.096],
  ["m5.24xlarge", 96, 384, 4.608],
  ["m5.metal", 96, 384, 4.608],
  ["c5.9xlarge", 36, 72, 1.53],
  ["c5n.18xlarge", 72, 192, 3.888],
  ["c4.8xlarge", 36, 60, 1.6],
  ["m6g.medium", 1, 4, 0.0385],
  ["m6g.metal", 64, 256, 2.61184],
  ["m7i.metal-24xl", 96, 384, 5.32224],
  ["m7i.metal-48xl", 192, 768, 9.6768],
  ["c8i.metal-48xl", 192, 384, 9.89578],
  ["t3.nano", 2, 0.5, 0.0052],
  ["t2.micro", 1, 1, 0.0116],
  ["t4g.2xlarge", 8, 32, 0.2688],
  ["x2idn.16xlarge", 64, 1024, 6.669],
  ["x2iedn.xlarge", 4, 128, 0.83363],
  ["g5.12xlarge", 48, 192, 5.672],
  ["p5.48xlarge", 192, 2048, 55.04],
])("%s has %i vCPU, %f GiB and costs %f dollars", (name, vcpu, gib, dollars) => {
  const type = catalogue.named(name);
  expect(type?.vcpu).toBe(vcpu);
  expect((type?.memoryMib ?? 0) / 1024).toBe(gib);
  expect((type?.microDollars ?? 0) / 1e6).toBeCloseTo(dollars, 4);
});

test.each([
  ["m5.large", "x86_64", "Intel", 2],
  ["m5a.large", "x86_64", "AMD", 2],
  ["m7a.large", "x86_64", "AMD", 1],
  ["m7g.large", "arm64", "AWS", 1],
  ["g4dn.xlarge", "x86_64", "Intel", 2],
  ["g4ad.xlarge", "x86_64", "AMD", 2],
  ["g5g.xlarge", "arm64", "AWS", 1],
  ["im4gn.large", "arm64", "AWS", 1],
  ["m8i-flex.large", "x86_64", "Intel", 2],
])("%s is %s by %s with %i threads a core", (name, architecture, manufacturer, threads) => {
  expect(catalogue.named(name)).toMatchObject({ architecture, manufacturer, threadsPerCore: threads });
});

test("names are unique and in order", () => {
  const names = catalogue.types.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect([...names].sort()).toEqual(names);
});

test("regions differ in what they offer, and the oldest zone has little left", () => {
  const count = (region: string) => {
    const found = regionNamed(region);
    return found ? catalogue.types.filter((type) => catalogue.offeredIn(type, found)).length : 0;
  };
  expect(count("us-east-1")).toBe(catalogue.types.length);
  expect(count("us-west-1")).toBeLessThan(catalogue.types.length * 0.75);
  expect(count("eu-south-1")).toBeGreaterThan(100);
  const virginia = regionNamed("us-east-1");
  const inOldest = catalogue.types.filter((type) => virginia && catalogue.offeredInZone(type, virginia, 2));
  expect(inOldest.length).toBeLessThan(80);
  expect(inOldest.length).toBeGreaterThan(20);
});

test("zone letters are a permutation for old accounts, and only in old regions", () => {
  for (const region of regions) {
    const uniform = zoneNames(region, { id: "111122223333", shuffled: false });
    const own = zoneNames(region, { id: "444455556666", shuffled: true });
    expect([...own].sort()).toEqual([...uniform].sort());
    expect(own.join() === uniform.join()).toBe(!region.shuffled);
    expect(uniform).toHaveLength(region.zones.length);
  }
});
