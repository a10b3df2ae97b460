/** The account that the floor knows. */
export const accountSid = `AC${"0".repeat(32)}`;
export const authToken = "floor";
export const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;
