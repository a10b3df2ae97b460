import { render } from "preact";
import { App } from "./app.tsx";
import { createShared, SharedProvider } from "./state.ts";
import "./style.css";

const shared = createShared();
shared.live.start();
const root = document.getElementById("console");
if (root)
  render(
    <SharedProvider value={shared}>
      <App seed={root.dataset.seed ?? ""} />
    </SharedProvider>,
    root,
  );
