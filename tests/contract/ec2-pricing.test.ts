/** On-demand prices, the Spot Advisor and the market: one truth, asked in three ways. */
import { DescribeSpotPriceHistoryCommand } from "@aws-sdk/client-ec2";
import {
  DescribeServicesCommand,
  GetAttributeValuesCommand,
  GetPriceListFileUrlCommand,
  GetProductsCommand,
  ListPriceListsCommand,
  PricingClient,
} from "@aws-sdk/client-pricing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Started, startEc2 } from "./ec2-start.ts";

let started: Started;
let pricing: PricingClient;
beforeAll(async () => {
  started = await startEc2();
  pricing = new PricingClient({
    endpoint: started.url,
    region: "us-east-1",
    credentials: started.user,
    maxAttempts: 1,
  });
});
afterAll(async () => {
  pricing.destroy();
  await started.close();
});

interface Product {
  readonly product: {
    readonly sku: string;
    readonly productFamily: string;
    readonly attributes: Record<string, string>;
  };
  readonly terms: {
    readonly OnDemand: Record<
      string,
      { priceDimensions: Record<string, { unit: string; pricePerUnit: { USD: string } }> }
    >;
  };
}
const match = (fields: Record<string, string>) =>
  Object.entries(fields).map(([Field, Value]) => ({ Type: "TERM_MATCH" as const, Field, Value }));
async function products(fields: Record<string, string>): Promise<Product[]> {
  const answer = await pricing.send(new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters: match(fields) }));
  return (answer.PriceList ?? []).map((one: unknown) => JSON.parse(String(one)));
}
const usual = { operatingSystem: "Linux", preInstalledSw: "NA", tenancy: "Shared", capacitystatus: "Used" };
function dollars(product: Product | undefined): string {
  const [term] = Object.values(product?.terms.OnDemand ?? {});
  return Object.values(term?.priceDimensions ?? {})[0]?.pricePerUnit.USD ?? "";
}

interface Advisor {
  readonly ranges: readonly { index: number; label: string }[];
  readonly instance_types: Record<string, { cores: number; ram_gb: number }>;
  readonly spot_advisor: Record<string, Record<"Linux" | "Windows", Record<string, { s: number; r: number }>>>;
}
async function advisor(): Promise<Advisor> {
  return (await (await fetch(`${started.url}/spot-advisor-data.json`)).json()) as Advisor;
}

test("the usual filters find one product with the on-demand price; fewer find the ambiguity of AWS", async () => {
  const [product, ...more] = await products({ instanceType: "m5.large", regionCode: "us-east-1", ...usual });
  expect(more).toEqual([]);
  expect(product?.product).toMatchObject({
    productFamily: "Compute Instance",
    sku: expect.stringMatching(/^[A-Z0-9]{16}$/),
    attributes: {
      location: "US East (N. Virginia)",
      vcpu: "2",
      memory: "8 GiB",
      usagetype: "BoxUsage:m5.large",
      operation: "RunInstances",
      normalizationSizeFactor: "4",
      marketoption: "OnDemand",
    },
  });
  expect(dollars(product)).toBe("0.0960000000");
  const byPlace = await products({ instanceType: "m5.large", location: "EU (Ireland)", ...usual });
  expect(byPlace[0]?.product.attributes.usagetype).toBe("EU-BoxUsage:m5.large");
  const loose = await products({ instanceType: "m5.large", regionCode: "us-east-1", operatingSystem: "Linux" });
  expect(loose.map(dollars)).toEqual(["0.0960000000", "0.0960000000", "0.0000000000", "0.1017600000"]);
});

test("pages follow each other, a foreign token and a foreign service are refused", async () => {
  const Filters = match({
    regionCode: "us-east-1",
    operatingSystem: "Windows",
    tenancy: "Shared",
    capacitystatus: "Used",
  });
  const seen: string[] = [];
  let NextToken: string | undefined;
  do {
    const page = await pricing.send(
      new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters, MaxResults: 100, NextToken }),
    );
    seen.push(...(page.PriceList ?? []).map((one: unknown) => JSON.parse(String(one)).product.sku));
    NextToken = page.NextToken;
  } while (NextToken);
  expect(seen.length).toBeGreaterThan(300);
  expect(new Set(seen).size).toBe(seen.length);
  await expect(
    pricing.send(new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters, NextToken: "forged" })),
  ).rejects.toMatchObject({ name: "InvalidNextTokenException" });
  await expect(pricing.send(new GetProductsCommand({ ServiceCode: "AmazonS3" }))).rejects.toMatchObject({
    name: "NotFoundException",
  });
});

test("attributes, services, price lists and their files", async () => {
  const types = await pricing.send(
    new GetAttributeValuesCommand({ ServiceCode: "AmazonEC2", AttributeName: "operatingSystem" }),
  );
  expect(types.AttributeValues?.map(({ Value }) => Value)).toEqual(["Linux", "RHEL", "SUSE", "Windows"]);
  const services = await pricing.send(new DescribeServicesCommand({ ServiceCode: "AmazonEC2" }));
  expect(services.Services?.[0]?.AttributeNames).toContain("capacitystatus");
  const lists = await pricing.send(
    new ListPriceListsCommand({
      ServiceCode: "AmazonEC2",
      CurrencyCode: "USD",
      EffectiveDate: new Date(started.emulator.runtime.clock.now()),
      RegionCode: "us-west-1",
    }),
  );
  expect(lists.PriceLists).toHaveLength(1);
  const { Url = "" } = await pricing.send(
    new GetPriceListFileUrlCommand({ PriceListArn: lists.PriceLists?.[0]?.PriceListArn, FileFormat: "json" }),
  );
  const file = (await (await fetch(Url)).json()) as { products: Record<string, Product["product"]> };
  const [one] = await products({ instanceType: "c5.large", regionCode: "us-west-1", ...usual });
  expect(file.products[one?.product.sku ?? ""]?.attributes.instanceType).toBe("c5.large");
});

test("the Spot Advisor has the provider's shape, an ETag, and the published spread of savings and interruptions", async () => {
  const answer = await fetch(`${started.url}/spot-advisor-data.json`);
  const etag = answer.headers.get("etag") ?? "";
  const data = (await answer.json()) as Advisor;
  expect((await fetch(`${started.url}/spot-advisor-data.json`, { headers: { "if-none-match": etag } })).status).toBe(
    304,
  );
  expect(data.ranges.map(({ label }) => label)).toEqual(["<5%", "5-10%", "10-15%", "15-20%", ">20%"]);
  expect(data.instance_types["m5.large"]).toMatchObject({ cores: 2, ram_gb: 8 });
  const all = Object.values(data.spot_advisor).flatMap(({ Linux }) => Object.values(Linux));
  const savings = all.map(({ s }) => s).sort((left, right) => left - right);
  const at = (part: number) => savings[Math.floor(part * savings.length)] ?? 0;
  expect([at(0), at(0.999)]).toEqual([expect.toSatisfy((low) => low >= 0), expect.toSatisfy((high) => high <= 90)]);
  expect(at(0.5)).toBeGreaterThan(58);
  expect(at(0.5)).toBeLessThan(72);
  const shares = [0, 1, 2, 3, 4].map((r) => all.filter((one) => one.r === r).length / all.length);
  [0.216, 0.193, 0.135, 0.125, 0.33].forEach((published, r) => {
    expect(Math.abs((shares[r] ?? 0) - published)).toBeLessThan(0.06);
  });
  // Neither tells of the other: the correlation of savings and interruption over all pairs.
  const mean = (values: number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
  const [ms, mr] = [mean(all.map(({ s }) => s)), mean(all.map(({ r }) => r))];
  const cov = mean(all.map(({ s, r }) => (s - ms) * (r - mr)));
  const deviation = (values: number[], middle: number) => Math.sqrt(mean(values.map((one) => (one - middle) ** 2)));
  const rho =
    cov /
    deviation(
      all.map(({ s }) => s),
      ms,
    ) /
    deviation(
      all.map(({ r }) => r),
      mr,
    );
  expect(Math.abs(rho)).toBeLessThan(0.15);
});

test("one truth: a month of spot prices over the on-demand price gives the Spot Advisor's savings", async () => {
  const data = await advisor();
  const day = 86_400_000;
  const end = Math.floor(started.emulator.runtime.clock.now() / day) * day;
  for (const region of ["us-east-1", "eu-west-1"])
    for (const [type, system, description] of [
      ["m5.large", "Linux", "Linux/UNIX"],
      ["c5.2xlarge", "Linux", "Linux/UNIX"],
      ["r5.xlarge", "Windows", "Windows"],
      ["t3.medium", "Linux", "Linux/UNIX"],
    ] as const) {
      const answer = await started.ec2({ region }).send(
        new DescribeSpotPriceHistoryCommand({
          InstanceTypes: [type],
          ProductDescriptions: [description],
          StartTime: new Date(end - 30 * day),
          EndTime: new Date(end),
          MaxResults: 2000,
        }),
      );
      const zones = new Map<string, { at: number; price: number }[]>();
      for (const { AvailabilityZoneId = "", Timestamp, SpotPrice } of answer.SpotPriceHistory ?? []) {
        const list = zones.get(AvailabilityZoneId) ?? [];
        list.push({ at: Timestamp?.getTime() ?? 0, price: Number(SpotPrice) });
        zones.set(AvailabilityZoneId, list);
      }
      let sum = 0;
      for (const list of zones.values()) {
        list.reverse();
        list.forEach(({ at, price }, index) => {
          const from = Math.max(at, end - 30 * day);
          sum += (price * ((list[index + 1]?.at ?? end) - from)) / (30 * day);
        });
      }
      const [product] = await products({ instanceType: type, regionCode: region, ...usual, operatingSystem: system });
      const saved = 100 * (1 - sum / zones.size / Number(dollars(product)));
      const told = data.spot_advisor[region]?.[system][type]?.s ?? -1;
      expect(Math.abs(told - saved), `${region} ${type} ${system}`).toBeLessThanOrEqual(1);
    }
});
