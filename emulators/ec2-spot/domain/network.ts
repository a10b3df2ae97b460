/** The default network of every account and region: one vpc, a subnet in each zone, one security group. */

export interface Subnet {
  readonly id: string;
  readonly vpc: string;
  /** Zone id. */
  readonly zone: string;
  /** Third octet at which the subnet's /20 starts. */
  readonly third: number;
}

export interface Network {
  readonly vpc: string;
  readonly subnets: readonly Subnet[];
  readonly defaultGroup: string;
}

export function cidrOf(subnet: Subnet): string {
  return `172.31.${subnet.third}.0/20`;
}

/** The n-th usable address of a /20; the first four and the last are the provider's. */
export function addressIn(subnet: Subnet, n: number): string {
  const offset = 4 + (n % 4091);
  return `172.31.${subnet.third + (offset >> 8)}.${offset & 255}`;
}

export function contains(subnet: Subnet, address: string): boolean {
  const [one, two, three, four] = address.split(".").map(Number);
  const third = three ?? -1;
  return (
    one === 172 &&
    two === 31 &&
    third >= subnet.third &&
    third < subnet.third + 16 &&
    (four ?? -1) >= 0 &&
    (four ?? 256) < 256
  );
}

export function privateDns(address: string, region: string): string {
  const domain = region === "us-east-1" ? "ec2.internal" : `${region}.compute.internal`;
  return `ip-${address.replaceAll(".", "-")}.${domain}`;
}

export function publicDns(address: string, region: string): string {
  const domain = region === "us-east-1" ? "compute-1.amazonaws.com" : `${region}.compute.amazonaws.com`;
  return `ec2-${address.replaceAll(".", "-")}.${domain}`;
}
