/**
 * The real host names under which containers reach the gateway. Docker knows no wildcards, so every name an official client
 * may ask for is written out: products, regions and edges of Twilio, services and regions of AWS, Azure as it is.
 */
import { azurePolicyInsights } from "../../emulators/azure-policyinsights/index.ts";
import { regions } from "../../emulators/ec2-spot/domain/regions.ts";
import { ec2Spot } from "../../emulators/ec2-spot/index.ts";
import { productNames } from "../../emulators/twilio/index.ts";

/** Twilio's data-residency regions, with the edge locations that lead into each (https://www.twilio.com/docs/global-infrastructure). */
const twilioPlaces: readonly string[] = [
  "us1",
  "ie1",
  "au1",
  ...["ashburn", "umatilla", "dublin", "frankfurt", "singapore", "sydney", "tokyo", "sao-paulo"].map(
    (edge) => `${edge}.us1`,
  ),
  "dublin.ie1",
  "sydney.au1",
];
/** With an edge or a region in its environment, twilio's client asks for names of this form. */
const regionalProducts: readonly string[] = ["api", "conversations", "lookups", "messaging", "verify"];
/** https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html */
const pricingRegions: readonly string[] = ["us-east-1", "eu-central-1", "ap-south-1"];

function aliases(): readonly string[] {
  const twilio = [
    ...productNames.map((product) => `${product}.twilio.com`),
    ...regionalProducts.flatMap((product) => twilioPlaces.map((place) => `${product}.${place}.twilio.com`)),
  ];
  const aws = ec2Spot.hosts.flatMap((pattern) => {
    const placed = pattern.startsWith("api.pricing.") ? pricingRegions : regions.map(({ name }) => name);
    return pattern.includes("*") ? placed.map((region) => pattern.replace("*", region)) : [pattern];
  });
  return [...twilio, ...azurePolicyInsights.hosts, ...aws];
}

/** As items of a flow sequence in docker-compose.yml. */
export function aliasLines(): string {
  const indent = " ".repeat(12);
  const lines = [indent];
  for (const name of aliases()) {
    const line = lines.at(-1) ?? indent;
    if (line.length + name.length + 2 > 120) lines.push(`${indent}${name},`);
    else lines[lines.length - 1] = line === indent ? `${indent}${name},` : `${line} ${name},`;
  }
  return lines.join("\n");
}
