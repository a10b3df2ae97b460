import { backlotCommand, startBacklot } from "../backlot.ts";
import { measureLargeAnswer } from "./large-answer.ts";
import type { Bench, Measure } from "./measure.ts";

export const spot: Measure = { name: "spot", round };

async function round(bench: Bench): Promise<void> {
  const server = await startBacklot(backlotCommand());
  const { AWS_ACCESS_KEY_ID = "", AWS_REGION = "us-east-1" } = await server.environment();
  const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
  await measureLargeAnswer(bench, {
    latency: "spotPage",
    rate: "spotRate",
    request: {
      method: "POST",
      url: new URL(server.services["ec2-spot"]?.url ?? ""),
      headers: {
        // Signatures are not checked by default; account, region and service come from the scope.
        authorization: `AWS4-HMAC-SHA256 Credential=${AWS_ACCESS_KEY_ID}/${day}/${AWS_REGION}/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
        "x-amz-date": `${day}T000000Z`,
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      },
      body: new URLSearchParams({
        Action: "DescribeSpotPriceHistory",
        Version: "2016-11-15",
        MaxResults: "1000",
      }).toString(),
    },
    check(body) {
      const items = body.split("<item>").length - 1;
      return items === 1000 ? undefined : `${items} items instead of 1,000`;
    },
  });
  await server.stop();
}
