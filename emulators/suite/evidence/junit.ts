import type { StepResult } from "./scenario/run.ts";

/** JUnit XML as CI systems read it, without times and host names. */
export function junit(suite: string, steps: readonly StepResult[]): string {
  const failures = steps.filter(({ failure }) => failure !== undefined).length;
  const cases = steps.map(({ order, name, failure }) =>
    failure === undefined
      ? `    <testcase classname="${xml(suite)}" name="${xml(`${order} ${name}`)}" time="0"/>\n`
      : `    <testcase classname="${xml(suite)}" name="${xml(`${order} ${name}`)}" time="0"><failure message="${xml(failure)}"/></testcase>\n`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="${xml(suite)}" tests="${steps.length}" failures="${failures}" errors="0" skipped="0" time="0">
${cases.join("")}  </testsuite>
</testsuites>
`;
}

function xml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replace(/\p{Cc}/gu, " "); // most control characters have no place in XML 1.0
}
