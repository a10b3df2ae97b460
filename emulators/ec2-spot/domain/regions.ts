/** Regions, their zones by id, and how an account's zone letters map to them. */
import { hashText, mix } from "./hash.ts";

export interface Region {
  readonly name: string;
  /** First part of the zone ids: `use1`. */
  readonly code: string;
  /** Price level against us-east-1. */
  readonly multiplier: number;
  /** Part of all families offered. */
  readonly share: number;
  readonly zones: readonly Zone[];
  /** Letters in the order of `zones` for an account with the uniform map. */
  readonly letters: string;
  /** Whether old accounts have their own letters here. */
  readonly shuffled: boolean;
  readonly optIn: boolean;
  readonly geography: string;
}

export interface Zone {
  readonly id: string;
  /** Part of the region's families offered in this zone. */
  readonly share: number;
}

type Row = readonly [
  name: string,
  code: string,
  multiplier: number,
  share: number,
  zones: string,
  letters: string,
  flags: string,
  geography: string,
];

/** Zones: number, and after a colon the part of the region's types they offer. Flags: s shuffled letters, o opt-in. */
const rows: readonly Row[] = [
  ["us-east-1", "use1", 1, 1, "1:.93 2 3:.043 4 5:.73 6", "abcdef", "s", "United States of America"],
  ["us-east-2", "use2", 1, 0.93, "1 2 3", "abc", "", "United States of America"],
  ["us-west-1", "usw1", 1.177, 0.5, "1 3", "ab", "s", "United States of America"],
  ["us-west-2", "usw2", 1, 0.98, "1 2 3 4:.78", "abcd", "s", "United States of America"],
  ["ca-central-1", "cac1", 1.115, 0.56, "1 2 4:.82", "abd", "", "Canada"],
  ["eu-west-1", "euw1", 1.115, 0.85, "1 2:.97 3:.94", "abc", "s", "Ireland"],
  ["eu-west-2", "euw2", 1.159, 0.58, "1 2 3:.96", "cab", "", "United Kingdom"],
  ["eu-west-3", "euw3", 1.168, 0.5, "1 2 3", "abc", "", "France"],
  ["eu-central-1", "euc1", 1.204, 0.85, "1:.95 2 3", "cab", "", "Germany"],
  ["eu-north-1", "eun1", 1.062, 0.62, "1 2 3", "abc", "", "Sweden"],
  ["eu-south-1", "eus1", 1.168, 0.45, "1 2 3", "abc", "o", "Italy"],
  ["ap-northeast-1", "apne1", 1.292, 0.85, "1 2 4", "acd", "s", "Japan"],
  ["ap-northeast-2", "apne2", 1.23, 0.56, "1 2:.78 3:.89 4:.63", "abcd", "", "South Korea"],
  ["ap-northeast-3", "apne3", 1.292, 0.4, "1 2 3", "bca", "", "Japan"],
  ["ap-southeast-1", "apse1", 1.248, 0.7, "1 2 3", "abc", "s", "Singapore"],
  ["ap-southeast-2", "apse2", 1.257, 0.8, "1 2 3", "abc", "s", "Australia"],
  ["ap-south-1", "aps1", 1.08, 0.75, "1 2 3", "acb", "", "India"],
  ["sa-east-1", "sae1", 1.59, 0.55, "1 2:.87 3:.93", "abc", "s", "Brazil"],
  ["af-south-1", "afs1", 1.327, 0.4, "1 2 3", "abc", "o", "South Africa"],
  ["ap-east-1", "ape1", 1.372, 0.45, "1 2 3", "abc", "o", "Hong Kong"],
  ["me-south-1", "mes1", 1.226, 0.4, "1 2 3", "abc", "o", "Bahrain"],
  ["me-central-1", "mec1", 1.226, 0.4, "1 2 3", "abc", "o", "United Arab Emirates"],
];

export const regions: readonly Region[] = rows.map(
  ([name, code, multiplier, share, zones, letters, flags, geography]) => ({
    name,
    code,
    multiplier,
    share,
    zones: zones.split(" ").map((zone) => {
      const [number = "", part = "1"] = zone.split(":");
      return { id: `${code}-az${number}`, share: Number(part) };
    }),
    letters,
    shuffled: flags.includes("s"),
    optIn: flags.includes("o"),
    geography,
  }),
);

const byName: ReadonlyMap<string, Region> = new Map(regions.map((region) => [region.name, region]));

export function regionNamed(name: string): Region | undefined {
  return byName.get(name);
}

/**
 * Zone names in the order of `region.zones`, as one account sees them. Accounts older than November 2025 have letters of
 * their own in the regions opened before 2013: `us-east-1a` of one account is another place than that of the next.
 */
export function zoneNames(
  region: Region,
  account: { readonly id: string; readonly shuffled: boolean },
): readonly string[] {
  const letters = [...region.letters];
  if (account.shuffled && region.shuffled) {
    const key = hashText(`${account.id}/${region.name}`);
    for (let last = letters.length - 1; last > 0; last -= 1) {
      const other = (mix(key, last) >>> 0) % (last + 1);
      const letter = letters[last] ?? "";
      letters[last] = letters[other] ?? "";
      letters[other] = letter;
    }
    // A permutation that changes nothing would hide the trap it is there to show.
    if (letters.join("") === region.letters) letters.push(letters.shift() ?? "");
  }
  return letters.map((letter) => `${region.name}${letter}`);
}
