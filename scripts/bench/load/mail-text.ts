/** A mail of about a given size whose `Message-ID` and subject carry a number. */
import { counterMark } from "./plan.ts";

export const [sender, recipient] = ["app@backlot.test", "user@example.com"];

export function mailText(size: number): string {
  const head = [
    `From: Backlot bench <${sender}>`,
    `To: <${recipient}>`,
    `Subject: Order ${counterMark}`,
    `Message-ID: <${counterMark}@backlot.test>`,
    "Date: Wed, 15 Jan 2025 12:00:00 +0000",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "",
  ].join("\r\n");
  const line = "Your order is on its way and should reach you in the next three working days.\r\n";
  return head + line.repeat(Math.max(1, Math.round((size - head.length) / line.length)));
}
