import type { ReportFacts } from "./report.ts";

/** What an auditor reads first. */
export function packReadme({
  title,
  about,
  seed,
  start,
  end,
  version,
  counts,
  missing,
  signed,
}: ReportFacts & { readonly signed: boolean }): string {
  return `# ${title}

${about === "" ? "" : `${about}\n\n`}Recorded by Backlot ${version}: local emulators, seed \`${seed}\`, virtual time ${start} to ${end}.

${counts.map(([what, count, path]) => `- ${what}: ${count} (${path})`).join("\n")}

## To check it

- \`backlot evidence verify .\` checks the signature, every hash, missing and extra files, the manifest, and whether the
  parts agree; it names what does not.
- \`sha256sum -c SHA256SUMS\` checks the hashes alone.
- \`attestation.dsse.json\` is a DSSE envelope of an in-toto statement about SHA256SUMS, signed with ed25519.
  ${signed ? "Ask whoever made this pack for the public key: `--key FILE`." : "The key is derived from the seed, and anybody can derive it: it shows that nothing was damaged, not who made the pack."}
- The same seed and scenario give the same bytes, outside volatile/: record again and compare the archives
  (\`backlot evidence tar\`).

## How to read it

\`report/index.html\` shows the run on a page; manifest.json says of each file what it shows. Files are of class det (the
same bytes in every run), norm (volatile fields replaced: times are virtual, addresses are names, request ids are nought,
requests are in the order of steps and content) or vol (kept as seen, in volatile/, with a hash list of their own).
Credentials were replaced by REDACTED before anything was written, in volatile/ too.

## Not covered

${missing.map((one) => `- ${one}\n`).join("")}- What other processes did that took no way through the gateway, unless the run was in a sandbox (egress/proof.json).
`;
}
