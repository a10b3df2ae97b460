/** The views that one comes to later, in a file of their own: the first is drawn without them. */

import type { Service } from "../../../shown-services.ts";
import type { ClockState } from "../clock.ts";
import { Compliance } from "./compliance.tsx";
import { Control } from "./control.tsx";
import { Mail } from "./mail.tsx";
import { Messages } from "./messages.tsx";
import { Spot } from "./spot.tsx";
import { Webhooks } from "./webhooks.tsx";

export interface LaterProps {
  readonly view: string;
  readonly rest: readonly string[];
  readonly services: readonly Service[];
  readonly clock: ClockState | undefined;
  readonly mode: string | undefined;
}

export function Later({ view, rest, services, clock, mode }: LaterProps) {
  switch (view) {
    case "messages":
      return <Messages pair={rest[0]} sid={rest[1]} />;
    case "mail":
      return <Mail id={rest[0]} tab={rest[1]} />;
    case "spot":
      return <Spot rest={rest} />;
    case "compliance":
      return <Compliance rest={rest} />;
    case "webhooks":
      return <Webhooks tab={rest[0]} service={rest[1]} id={rest[2]} names={services.map(({ name }) => name)} />;
    case "control":
      return <Control rest={rest} services={services} clock={clock} mode={mode} />;
    default:
      return null;
  }
}
