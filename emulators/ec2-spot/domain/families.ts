/**
 * Instance families: us-east-1 Linux on-demand price of the `large` size (or what a `large` would cost), GiB per vCPU and
 * the ladder of sizes. Price, vCPU and memory are linear in size; what is not linear is listed size by size below.
 *
 * Ladder: `medium`, `large`, `xlarge`, `12` for 12xlarge, `metal`, `metal-48` for metal-48xl.
 */
export interface Family {
  readonly name: string;
  /** Dollars an hour. */
  readonly large: number;
  readonly gibPerVcpu: number;
  readonly ladder: string;
  /** What a metal size costs over the virtual size it equals; `metal-N` smaller than the largest: 1.1 unless given. */
  readonly metal?: number;
}

const ladders = {
  gen5: "large xlarge 2 4 8 12 16 24 metal",
  amd5: "large xlarge 2 4 8 12 16 24",
  c5: "large xlarge 2 4 9 12 18 24 metal",
  c5n: "large xlarge 2 4 9 18 metal",
  gen6: "large xlarge 2 4 8 12 16 24 32 metal",
  amd6: "large xlarge 2 4 8 12 16 24 32 48 metal",
  amd7: "medium large xlarge 2 4 8 12 16 24 32 48 metal-48",
  arm6: "medium large xlarge 2 4 8 12 16 metal",
  arm6n: "medium large xlarge 2 4 8 12 16",
  gen7: "large xlarge 2 4 8 12 16 24 48 metal-24 metal-48",
  arm8: "medium large xlarge 2 4 8 12 16 24 48 metal-24 metal-48",
  gen8: "large xlarge 2 4 8 12 16 24 32 48 96 metal-48 metal-96",
  flex: "large xlarge 2 4 8 12 16",
  odd: "large xlarge 2 3 6 12 metal",
  dense: "large xlarge 2 3 6 12 18 24 48 metal-24 metal-48",
  four: "large xlarge 2 4 8 16",
} as const;

type Row = readonly [name: string, large: number, gibPerVcpu: number, ladder: string, metal?: number];

const rows: readonly Row[] = [
  ["m4", 0.1, 4, "large xlarge 2 4 10 16"],
  ["m5", 0.096, 4, ladders.gen5],
  ["m5a", 0.086, 4, ladders.amd5],
  ["m5d", 0.113, 4, ladders.gen5],
  ["m5n", 0.119, 4, ladders.gen5],
  ["m5zn", 0.1652, 4, ladders.odd, 1.1],
  ["m6i", 0.096, 4, ladders.gen6],
  ["m6a", 0.0864, 4, ladders.amd6],
  ["m6g", 0.077, 4, ladders.arm6, 1.06],
  ["m6gd", 0.0904, 4, ladders.arm6, 1.06],
  ["m6id", 0.11865, 4, ladders.gen6],
  ["m6in", 0.13923, 4, ladders.gen6],
  ["m7i", 0.1008, 4, ladders.gen7],
  ["m7i-flex", 0.09576, 4, ladders.flex],
  ["m7a", 0.11592, 4, ladders.amd7],
  ["m7g", 0.0816, 4, ladders.arm6],
  ["m7gd", 0.1068, 4, ladders.arm6],
  ["m8i", 0.10584, 4, ladders.gen8, 1],
  ["m8i-flex", 0.10055, 4, ladders.flex],
  ["m8a", 0.12172, 4, ladders.arm8],
  ["m8g", 0.08976, 4, ladders.arm8],
  ["m8gd", 0.11532, 4, ladders.arm8],
  ["m8gn", 0.1455, 4, ladders.arm8],
  ["m9g", 0.09784, 4, ladders.arm8],
  ["c4", 0.1, 1.875, "large xlarge 2 4 8"],
  ["c5", 0.085, 2, ladders.c5],
  ["c5a", 0.077, 2, ladders.amd5],
  ["c5d", 0.096, 2, ladders.c5],
  ["c5n", 0.108, 2.625, ladders.c5n],
  ["c6i", 0.085, 2, ladders.gen6],
  ["c6a", 0.0765, 2, ladders.amd6],
  ["c6g", 0.068, 2, ladders.arm6, 1.06],
  ["c6gd", 0.0768, 2, ladders.arm6, 1.06],
  ["c6gn", 0.0864, 2, ladders.arm6n],
  ["c6id", 0.1008, 2, ladders.gen6],
  ["c6in", 0.1134, 2, ladders.gen6],
  ["c7i", 0.08925, 2, ladders.gen7],
  ["c7i-flex", 0.08479, 2, ladders.flex],
  ["c7a", 0.10264, 2, ladders.amd7],
  ["c7g", 0.0725, 2, ladders.arm6],
  ["c7gd", 0.0907, 2, ladders.arm6],
  ["c7gn", 0.1248, 2, ladders.arm6],
  ["c8i", 0.09371, 2, ladders.gen8],
  ["c8i-flex", 0.08902, 2, ladders.flex],
  ["c8a", 0.10777, 2, ladders.arm8],
  ["c8g", 0.07976, 2, ladders.arm8],
  ["c8gd", 0.09798, 2, ladders.arm8],
  ["c8gn", 0.1185, 2, ladders.arm8],
  ["r4", 0.133, 7.625, ladders.four],
  ["r5", 0.126, 8, ladders.gen5],
  ["r5a", 0.113, 8, ladders.amd5],
  ["r5b", 0.149, 8, ladders.gen5, 1.1],
  ["r5d", 0.144, 8, ladders.gen5],
  ["r5n", 0.149, 8, ladders.gen5],
  ["r6i", 0.126, 8, ladders.gen6],
  ["r6a", 0.1134, 8, ladders.amd6],
  ["r6g", 0.1008, 8, ladders.arm6, 1.06],
  ["r6gd", 0.1152, 8, ladders.arm6, 1.06],
  ["r6id", 0.1512, 8, ladders.gen6],
  ["r6in", 0.17433, 8, ladders.gen6],
  ["r7i", 0.1323, 8, ladders.gen7],
  ["r7a", 0.15215, 8, ladders.amd7],
  ["r7g", 0.1071, 8, ladders.arm6],
  ["r7gd", 0.1361, 8, ladders.arm6],
  ["r7iz", 0.186, 8, "large xlarge 2 4 8 12 16 32 metal-16 metal-32"],
  ["r8i", 0.13892, 8, ladders.gen8],
  ["r8i-flex", 0.13197, 8, ladders.flex],
  ["r8a", 0.15976, 8, ladders.arm8],
  ["r8g", 0.11782, 8, ladders.arm8],
  ["r8gd", 0.14696, 8, ladders.arm8],
  ["z1d", 0.186, 8, ladders.odd],
  ["x2gd", 0.167, 16, ladders.arm6, 1.1],
  ["x8g", 0.1954, 16, ladders.arm8],
  ["x8i", 0.21883, 16, ladders.gen8],
  ["x2iedn", 0.83363 / 2, 32, "xlarge 2 4 8 16 24 32 metal"],
  ["x2idn", 6.669 / 32, 16, "16 24 32 metal"],
  ["x2iezn", 1.668 / 4, 32, "2 4 6 8 12 metal"],
  ["i3", 0.156, 7.625, "large xlarge 2 4 8 16 metal"],
  ["i3en", 0.226, 8, "large xlarge 2 3 6 12 24 metal"],
  ["i4i", 0.172, 8, "large xlarge 2 4 8 12 16 24 32 metal"],
  ["i4g", 0.15444, 8, ladders.four],
  ["im4gn", 0.1819, 4, ladders.four],
  ["is4gen", 0.28815, 6, "medium large xlarge 2 4 8"],
  ["i7i", 0.1888, 8, ladders.gen7, 1.06],
  ["i7ie", 0.2599, 8, ladders.dense, 1.06],
  ["i8g", 0.1716, 8, "large xlarge 2 4 8 12 16 24 48 metal-24"],
  ["i8ge", 0.2373, 8, ladders.dense, 1.06],
  ["d3", 0.499 / 2, 8, "xlarge 2 4 8"],
  ["d3en", 0.526 / 2, 4, "xlarge 2 4 6 8 12"],
  ["h1", 0.468 / 4, 4, "2 4 8 16"],
];

export const families: readonly Family[] = rows.map(([name, large, gibPerVcpu, ladder, metal]) => ({
  name,
  large,
  gibPerVcpu,
  ladder,
  ...(metal === undefined ? {} : { metal }),
}));

/** Burstable families; their sizes have vCPU and memory of their own and the price doubles at each step. */
export const burstFamilies: readonly { readonly name: string; readonly large: number }[] = [
  { name: "t2", large: 0.0928 },
  { name: "t3", large: 0.0832 },
  { name: "t3a", large: 0.0752 },
  { name: "t4g", large: 0.0672 },
];

/** Size, vCPU, GiB, part of the large price, and the Windows licence an hour. */
export const burstSizes: readonly (readonly [
  size: string,
  vcpu: number,
  gib: number,
  part: number,
  windows: number,
])[] = [
  ["nano", 2, 0.5, 1 / 16, 0.0046],
  ["micro", 2, 1, 1 / 8, 0.0092],
  ["small", 2, 2, 1 / 4, 0.0184],
  ["medium", 2, 4, 1 / 2, 0.0184],
  ["large", 2, 8, 1, 0.0276],
  ["xlarge", 4, 16, 2, 0.0736],
  ["2xlarge", 8, 32, 4, 0.1472],
];

/** Families whose prices follow no rule: `size price vCPU GiB`. */
export const listedFamilies: readonly { readonly name: string; readonly sizes: string }[] = [
  {
    name: "g4dn",
    sizes:
      "xlarge .526 4 16, 2xlarge .752 8 32, 4xlarge 1.204 16 64, 8xlarge 2.176 32 128, 12xlarge 3.912 48 192, 16xlarge 4.352 64 256, metal 7.824 96 384",
  },
  {
    name: "g5",
    sizes:
      "xlarge 1.006 4 16, 2xlarge 1.212 8 32, 4xlarge 1.624 16 64, 8xlarge 2.448 32 128, 12xlarge 5.672 48 192, 16xlarge 4.096 64 256, 24xlarge 8.144 96 384, 48xlarge 16.288 192 768",
  },
  {
    name: "g6",
    sizes:
      "xlarge .8048 4 16, 2xlarge .9776 8 32, 4xlarge 1.3232 16 64, 8xlarge 2.0144 32 128, 12xlarge 4.6016 48 192, 16xlarge 3.3968 64 256, 24xlarge 6.6752 96 384, 48xlarge 13.3504 192 768",
  },
  {
    name: "g6e",
    sizes:
      "xlarge 1.861 4 32, 2xlarge 2.24208 8 64, 4xlarge 3.00424 16 128, 8xlarge 4.52856 32 256, 12xlarge 10.49264 48 384, 16xlarge 7.57719 64 512, 24xlarge 15.06559 96 768, 48xlarge 30.13118 192 1536",
  },
  {
    name: "g4ad",
    sizes: "xlarge .37853 4 16, 2xlarge .54117 8 32, 4xlarge .867 16 64, 8xlarge 1.734 32 128, 16xlarge 3.468 64 256",
  },
  {
    name: "g5g",
    sizes: "xlarge .42 4 8, 2xlarge .556 8 16, 4xlarge .828 16 32, 8xlarge 1.372 32 64, 16xlarge 2.744 64 128",
  },
  { name: "p3", sizes: "2xlarge 3.06 8 61, 8xlarge 12.24 32 244, 16xlarge 24.48 64 488" },
  { name: "p4d", sizes: "24xlarge 21.957642 96 1152" },
  { name: "p5", sizes: "48xlarge 55.04 192 2048" },
  { name: "inf1", sizes: "xlarge .228 4 8, 2xlarge .362 8 16, 6xlarge 1.18 24 48, 24xlarge 4.721 96 192" },
  {
    name: "inf2",
    sizes: "xlarge .7582 4 16, 8xlarge 1.96786 32 128, 24xlarge 6.49063 96 384, 48xlarge 12.98127 192 768",
  },
  { name: "trn1", sizes: "2xlarge 1.34375 8 32, 32xlarge 21.5 128 512" },
];
