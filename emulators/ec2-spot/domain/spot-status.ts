/** Status codes of spot requests and the texts that AWS gives with them. */

export const statusMessages = {
  "pending-evaluation": "Your Spot request has been submitted for review, and is pending evaluation.",
  "pending-fulfillment": "Your Spot request is pending fulfillment.",
  "not-scheduled-yet": "Your Spot request is scheduled for a future time and has not been evaluated yet.",
  "capacity-not-available": "There is no Spot capacity available that matches your request.",
  fulfilled: "Your spot request is fulfilled.",
  "marked-for-termination": "Your Spot instance is marked for termination.",
  "marked-for-stop": "Your Spot instance is marked for stop.",
  "instance-terminated-by-user": "Spot Instance terminated due to user-initiated termination.",
  "instance-terminated-by-price":
    "Your Spot instance was terminated because the Spot price exceeded your maximum price.",
  "instance-terminated-no-capacity":
    "Your Spot instance was terminated because there is no Spot capacity available that matches your request.",
  "instance-stopped-by-price": "Your Spot instance was stopped because the Spot price exceeded your maximum price.",
  "instance-stopped-no-capacity":
    "Your Spot instance was stopped because there is no Spot capacity available that matches your request.",
  "instance-stopped-by-user": "Your Spot instance was stopped due to user-initiated stop.",
  "schedule-expired": "Your Spot request expired before it could be fulfilled.",
  "canceled-before-fulfillment": "Your Spot request is canceled before it was fulfilled.",
  "request-canceled-and-instance-running": "Your Spot request is canceled, but your instance is still running.",
  "bad-parameters": "One or more parameters of your Spot request are not valid.",
  "system-error": "Your Spot request could not be fulfilled because of an unexpected system error.",
} as const;
export type StatusCode = keyof typeof statusMessages | "price-too-low";

export function dollars(ticks: number): string {
  return String(Number((ticks / 10_000).toFixed(4)));
}

export function priceTooLow(most: number, least: number): string {
  return `Your Spot request price of ${dollars(most)} is lower than the minimum required Spot request fulfillment price of ${dollars(least)}.`;
}
