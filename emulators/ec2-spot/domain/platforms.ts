/** What EC2 calls an operating system in its various answers, by product number. */
export interface Platform {
  readonly details: string;
  readonly usageOperation: string;
  /** `windows`, or nothing. */
  readonly platform: string | undefined;
}

export const platforms: readonly Platform[] = [
  { details: "Linux/UNIX", usageOperation: "RunInstances", platform: undefined },
  { details: "Red Hat Enterprise Linux", usageOperation: "RunInstances:0010", platform: undefined },
  { details: "SUSE Linux", usageOperation: "RunInstances:000g", platform: undefined },
  { details: "Windows", usageOperation: "RunInstances:0002", platform: "windows" },
];

export function platformOf(product: number): Platform {
  return platforms[product] ?? { details: "Linux/UNIX", usageOperation: "RunInstances", platform: undefined };
}
