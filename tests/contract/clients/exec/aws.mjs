// Knows nothing of Backlot: spot prices and the caller's identity through the AWS SDK.
import { DescribeSpotPriceHistoryCommand, EC2Client } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

const { Account } = await new STSClient().send(new GetCallerIdentityCommand());
const { SpotPriceHistory } = await new EC2Client().send(
  new DescribeSpotPriceHistoryCommand({
    InstanceTypes: ["m5.large"],
    ProductDescriptions: ["Linux/UNIX"],
    StartTime: new Date(),
  }),
);
console.log(JSON.stringify({ account: Account, zones: SpotPriceHistory.length, price: SpotPriceHistory[0].SpotPrice }));
