import type { Outcome } from "./outcome.ts";

/** What a recipient's address asks for. */
export type Magic =
  | {
      readonly tag: "refuse";
      readonly stage: "rcpt" | "eod";
      readonly code: number;
      readonly text: string;
      readonly times?: number;
    }
  | { readonly tag: "slow"; readonly stage: "rcpt" | "eod"; readonly ms: number }
  | { readonly tag: "drop"; readonly stage: "rcpt" | "data" }
  | { readonly tag: "outcome"; readonly outcome: Outcome }
  | { readonly tag: "blackhole" }
  | { readonly tag: "copies"; readonly copies: number };

const texts: Readonly<Record<number, string>> = {
  421: "4.3.0 Service not available",
  450: "4.2.1 The mailbox is busy",
  451: "4.7.1 Greylisted, try again later",
  452: "4.2.2 The mailbox is full",
  550: "5.1.1 The mailbox does not exist",
  552: "5.3.4 The message is too big",
  553: "5.1.3 The address is not valid",
  554: "5.7.1 The message looks like spam",
};

/** `*.magic.test` covers every name below magic.test and that name itself. */
export function isMagicDomain(domain: string, domains: readonly string[]): boolean {
  return domains.some((listed) => {
    if (!listed.startsWith("*.")) return domain === listed;
    return domain === listed.slice(2) || domain.endsWith(listed.slice(1));
  });
}

/** What the address asks for at one of the listed domains or of the providers' own simulators; undefined elsewhere. */
export function magicOf(address: string, domains: readonly string[]): Magic | undefined {
  const at = address.lastIndexOf("@");
  if (at === -1) return undefined;
  const local = address.slice(0, at).toLowerCase();
  const domain = address.slice(at + 1).toLowerCase();
  const simulator = simulators[domain];
  if (simulator !== undefined) return simulator(local);
  return isMagicDomain(domain, domains) ? spoken(local) : undefined;
}

function spoken(local: string): Magic | undefined {
  const refused = /\+smtp([45]\d\d)(?:-(\d\.\d{1,3}\.\d{1,3}))?$/.exec(local);
  if (refused) return refusal("rcpt", Number(refused[1]), refused[2]);
  const [name = "", ...rest] = local.split("+");
  const label = rest.join("+");
  const seconds = /^(\d{1,5})s$/.exec(label)?.[1];
  switch (name) {
    case "bounce":
      return refusal("rcpt", Number(/^[45]\d\d$/.exec(label)?.[0] ?? 550));
    case "defer": {
      const [, code = "451", times] = /^(4\d\d)?(?:x(\d{1,3}))?$/.exec(label) ?? [];
      return { ...refusal("rcpt", Number(code)), ...(times !== undefined && { times: Number(times) }) };
    }
    case "full":
      return refusal("rcpt", 452);
    case "toobig":
      return refusal("eod", 552);
    case "spam":
      return refusal("eod", 554);
    case "slow":
      return { tag: "slow", stage: "rcpt", ms: Number(seconds ?? 5) * 1000 };
    case "slowdata":
      return { tag: "slow", stage: "eod", ms: Number(seconds ?? 5) * 1000 };
    case "drop":
      return { tag: "drop", stage: "rcpt" };
    case "dropdata":
      return { tag: "drop", stage: "data" };
    case "blackhole":
      return { tag: "blackhole" };
    case "dup":
      return { tag: "copies", copies: Math.min(10, Math.max(2, Number(/^\d{1,2}$/.exec(label)?.[0] ?? 2))) };
    case "async":
      return bounced(/^[45]\.\d{1,3}\.\d{1,3}$/.test(label) ? label : "5.1.1");
    default:
      return lives[name];
  }
}

const life = (name: Outcome["life"]): Magic => ({ tag: "outcome", outcome: { life: name } });
const lives: Readonly<Record<string, Magic>> = {
  complaint: life("complained"),
  ooo: life("replied"),
  open: life("opened"),
  click: life("clicked"),
  unsubscribe: life("unsubscribed"),
};

/** Addresses that providers answer for with a fixed outcome; any label after `+` is the sender's. */
const simulators: Readonly<Record<string, (local: string) => Magic | undefined>> = {
  // https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
  "simulator.amazonses.com": (local) => {
    switch (local.split("+")[0]) {
      case "bounce":
        return bounced("5.1.1");
      case "suppressionlist":
        return bounced(
          "5.1.1",
          "Amazon SES did not send the message to this address because it is on the suppression list",
        );
      case "complaint":
        return lives.complaint;
      case "ooto":
        return lives.ooo;
      default:
        return undefined;
    }
  },
  // https://resend.com/docs/dashboard/emails/send-test-emails
  "resend.dev": (local) => {
    const name = local.split("+")[0];
    return name === "bounced" ? bounced("5.1.1") : name === "complained" ? lives.complaint : undefined;
  },
  // https://postmarkapp.com/developer/user-guide/sending-email/test-bounces
  "bounce-testing.postmarkapp.com": (local) => {
    const kind = local.replaceAll(/[^a-z]/g, "");
    if (kind === "spamcomplaint") return lives.complaint;
    if (kind === "autoresponder") return lives.ooo;
    return bounced(kind === "softbounce" || kind === "transient" ? "4.2.2" : kind === "blocked" ? "5.7.1" : "5.1.1");
  },
};

function refusal(stage: "rcpt" | "eod", code: number, status?: string): Magic & { tag: "refuse" } {
  const known = texts[code] ?? `${code < 500 ? "4" : "5"}.0.0 The recipient asked for ${code}`;
  return {
    tag: "refuse",
    stage,
    code,
    text: status === undefined ? known : `${status}${known.slice(known.indexOf(" "))}`,
  };
}

function bounced(status: string, text?: string): Magic {
  return {
    tag: "outcome",
    outcome: { life: "bounced", status, text: text ?? bounceTexts[status] ?? "The message was not delivered" },
  };
}

const bounceTexts: Readonly<Record<string, string>> = {
  "5.1.1": "The email account that you tried to reach does not exist",
  "5.2.2": "The email account that you tried to reach is over quota",
  "4.2.2": "The email account that you tried to reach is over quota",
  "5.7.1": "The message was blocked",
};
