/** The dashboard of both gateways: one page, which asks nobody but the gateway that serves it. */

import { render } from "preact";
import { App } from "./app.tsx";
import { Store } from "./store.ts";

const store = new Store();
render(<App store={store} />, document.getElementById("app") as HTMLElement);
void store.run();
