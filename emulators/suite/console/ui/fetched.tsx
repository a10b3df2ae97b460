/** A component whose code comes when it is first shown, or when the page has nothing else to do. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Problem } from "./parts.tsx";

/** After the first view is drawn and usable. */
const idleMs = 300;

export function fetched<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  let Whole: ComponentType<Props> | undefined;
  let loading: Promise<void> | undefined;
  const fetchOnce = () => {
    loading ??= load().then((component) => {
      Whole = component;
    });
    return loading;
  };
  setTimeout(() => fetchOnce().catch(() => undefined), idleMs); // shown below to whoever needs it
  return function Fetched(props: Props) {
    const [, again] = useState(0);
    const [lost, setLost] = useState(false);
    useEffect(() => {
      if (!Whole)
        fetchOnce().then(
          () => again(1),
          () => setLost(true),
        );
    }, []);
    if (Whole) return <Whole {...props} />;
    return (
      <Problem
        text={lost ? "This view did not come. Backlot was stopped or is a newer one: reload the page." : undefined}
      />
    );
  };
}
