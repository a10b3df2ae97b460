import { render } from "preact";
import type { PageData } from "../page-facts.ts";
import { App } from "./app.tsx";
import { createShared, SharedProvider } from "./state.ts";
import "./style.css";

const root = document.getElementById("console");
const data = document.getElementById("data")?.textContent;
if (root && data) {
  const page = JSON.parse(data) as PageData;
  const shared = createShared(page);
  render(
    <SharedProvider value={shared}>
      <App page={page} />
    </SharedProvider>,
    root,
  );
  shared.api.drawn();
  shared.live.start();
}
