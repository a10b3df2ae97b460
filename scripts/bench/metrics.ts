/** What is measured: the title of each metric, its unit, and the subject that the others are compared with. */

export interface Metric {
  readonly title: string;
  readonly unit: "ms" | "MB" | "req/s" | "mails/s";
  readonly floor?: string;
}

/** The subject that every metric has. */
export const backlot = "Backlot";
export const bareHttp = "bare node:http";
const sameWork = "floor: same work";
const constant = "floor: constant body";
const generator = "floor: generator and HTTP";
const discard = "floor: discarding smtp-server";

export const metrics = {
  start: { title: "start: spawn to every service answering", unit: "ms", floor: bareHttp },
  memory: { title: "memory: RSS 1 s after ready", unit: "MB", floor: bareHttp },
  stop: { title: "stop: SIGTERM to exit", unit: "ms", floor: bareHttp },
  create: { title: "Twilio: create a message, 16 connections", unit: "req/s", floor: sameWork },
  fetch: { title: "Twilio: fetch a message, 16 connections", unit: "req/s", floor: sameWork },
  list: { title: "Twilio: list 50 messages, 16 connections", unit: "req/s", floor: sameWork },
  listAgain: { title: "Twilio: the same list again, unchanged", unit: "req/s", floor: sameWork },
  spotPage: { title: "EC2: 1,000 spot prices, 1 connection, p50", unit: "ms", floor: generator },
  spotRate: { title: "EC2: 1,000 spot prices, 16 connections", unit: "req/s", floor: generator },
  spotSweep: { title: "EC2: the price now of every pool of us-east-1, 17 pages of 1,000", unit: "ms" },
  spotPool: { title: "EC2: 90 days of one pool, 1 connection, p50", unit: "ms" },
  policyPage: { title: "Azure: 1,000 policy states, 1 connection, p50", unit: "ms", floor: constant },
  summarize: { title: "Azure: summarize, 1 connection, p50", unit: "ms", floor: constant },
  mail: { title: "SMTP: 2 KB mails, 8 connections, pipelined", unit: "mails/s", floor: discard },
  bigMail: { title: "SMTP: 100 KB mails, 8 connections, pipelined", unit: "mails/s", floor: discard },
  unpooled: { title: "SMTP: 2 KB mails, nodemailer, a connection each", unit: "mails/s", floor: discard },
  peerCreate: { title: "Peers: create a message, 16 connections", unit: "req/s", floor: "emulate 0.12.2" },
  peerFetch: { title: "Peers: fetch a message, 16 connections", unit: "req/s", floor: "emulate 0.12.2" },
  peerList: { title: "Peers: list 50 of 3,800 messages, 16 connections", unit: "req/s", floor: "emulate 0.12.2" },
  peerListAgain: { title: "Peers: the same list again, unchanged", unit: "req/s", floor: "emulate 0.12.2" },
  peerMail: { title: "Peers: 2 KB mails, 8 connections, pipelined", unit: "mails/s", floor: "maildev 2.2.1" },
  peerBigMail: { title: "Peers: 100 KB mails, 8 connections, pipelined", unit: "mails/s", floor: "maildev 2.2.1" },
  peerUnpooled: { title: "Peers: 2 KB mails, nodemailer, a connection each", unit: "mails/s", floor: "maildev 2.2.1" },
} as const satisfies Readonly<Record<string, Metric>>;

export type MetricName = keyof typeof metrics;

export function metric(name: MetricName): Metric {
  return metrics[name];
}
