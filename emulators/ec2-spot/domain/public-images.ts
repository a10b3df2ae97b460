/** Images that the provider's partners publish in every region. Names and owners are theirs; ids are derived. */

export interface PublicImage {
  readonly name: string;
  readonly description: string;
  readonly architecture: "x86_64" | "arm64";
  /** Place in the market's products. */
  readonly product: number;
  readonly owner: string;
  readonly alias: string | undefined;
  readonly rootDevice: string;
  readonly gib: number;
  readonly created: string;
}

const amazon = { owner: "137112412989", alias: "amazon" } as const;

export const publicImages: readonly PublicImage[] = [
  {
    name: "al2023-ami-2023.9.20260105.0-kernel-6.1-x86_64",
    description: "Amazon Linux 2023 AMI 2023.9.20260105.0 x86_64 HVM kernel-6.1",
    architecture: "x86_64",
    product: 0,
    ...amazon,
    rootDevice: "/dev/xvda",
    gib: 8,
    created: "2026-01-06T20:11:31.000Z",
  },
  {
    name: "al2023-ami-2023.9.20260105.0-kernel-6.1-arm64",
    description: "Amazon Linux 2023 AMI 2023.9.20260105.0 arm64 HVM kernel-6.1",
    architecture: "arm64",
    product: 0,
    ...amazon,
    rootDevice: "/dev/xvda",
    gib: 8,
    created: "2026-01-06T20:11:40.000Z",
  },
  {
    name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260108",
    description: "Canonical, Ubuntu, 24.04, amd64 noble image",
    architecture: "x86_64",
    product: 0,
    owner: "099720109477",
    alias: undefined,
    rootDevice: "/dev/sda1",
    gib: 8,
    created: "2026-01-08T07:03:29.000Z",
  },
  {
    name: "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20260108",
    description: "Canonical, Ubuntu, 24.04, arm64 noble image",
    architecture: "arm64",
    product: 0,
    owner: "099720109477",
    alias: undefined,
    rootDevice: "/dev/sda1",
    gib: 8,
    created: "2026-01-08T07:05:12.000Z",
  },
  {
    name: "RHEL-9.7.0_HVM-20260112-x86_64-0-Hourly2-GP3",
    description: "Provided by Red Hat, Inc.",
    architecture: "x86_64",
    product: 1,
    owner: "309956199498",
    alias: undefined,
    rootDevice: "/dev/sda1",
    gib: 10,
    created: "2026-01-12T10:44:02.000Z",
  },
  {
    name: "suse-sles-15-sp7-v20260110-hvm-ssd-x86_64",
    description: "SUSE Linux Enterprise Server 15 SP7 (HVM, 64-bit, SSD-Backed)",
    architecture: "x86_64",
    product: 2,
    owner: "013907871322",
    alias: "amazon",
    rootDevice: "/dev/sda1",
    gib: 10,
    created: "2026-01-10T15:20:51.000Z",
  },
  {
    name: "Windows_Server-2022-English-Full-Base-2026.01.14",
    description: "Microsoft Windows Server 2022 Full Locale English AMI provided by Amazon",
    architecture: "x86_64",
    product: 3,
    owner: "801119661308",
    alias: "amazon",
    rootDevice: "/dev/sda1",
    gib: 30,
    created: "2026-01-14T09:31:18.000Z",
  },
];
