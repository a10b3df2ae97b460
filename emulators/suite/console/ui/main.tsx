import { render } from "preact";
import { App } from "./app.tsx";
import { createShared, SharedProvider } from "./state.ts";
import "./style.css";

const root = document.getElementById("console");
if (root) {
  const { seed = "", base, part, suite } = root.dataset;
  const shared = createShared(base);
  shared.live.start();
  render(
    <SharedProvider value={shared}>
      <App page={{ seed, part, suite }} />
    </SharedProvider>,
    root,
  );
}
