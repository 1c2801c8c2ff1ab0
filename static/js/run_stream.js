// The one event stream of the page: follows the run that [data-run] names, and tells the rest of the page.
//
// "run" on the document, with the RunLog, whenever something is new; "run-offline" with the seconds until the next try,
// null once the connection is back.

import { delay } from "./lib/retry.js";
import { RunLog } from "./lib/run_log.js";

const MOST_REPLAYED = 200_000;
const CALM_MS = 250;
const KINDS = ["epoch", "epochs", "status", "end"];

class RunStream {
  /**
   * @param {string} run its id
   * @param {string} address of the stream
   * @param {number} epochs
   */
  constructor(run, address, epochs) {
    this.run = run;
    this.address = address;
    this.log = new RunLog(epochs);
    this.tries = 0;
    /** @type {EventSource | null} */
    this.source = null;
    this.timer = 0;
    this.isTold = true;
    this.isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  open() {
    if (this.source || this.log.run || document.hidden) return;
    const address = new URL(this.address, location.href);
    if (this.log.lastId) address.searchParams.set("after", String(this.log.lastId));
    this.source = new EventSource(address);
    this.source.onopen = () => this.#back();
    this.source.onerror = () => void this.#lost();
    for (const kind of KINDS) this.source.addEventListener(kind, (event) => this.#take(kind, event));
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  /**
   * @param {string} kind
   * @param {MessageEvent<string>} event
   */
  #take(kind, event) {
    this.log.take(kind, JSON.parse(event.data), Number(event.lastEventId));
    if (this.log.run) this.close();
    this.#tell();
  }

  #tell() {
    if (!this.isTold) return;
    this.isTold = false;
    const tell = () => {
      this.isTold = true;
      document.dispatchEvent(new CustomEvent("run", { detail: this.log }));
    };
    if (this.isCalm) setTimeout(tell, CALM_MS);
    else requestAnimationFrame(tell);
  }

  #back() {
    if (this.tries) document.dispatchEvent(new CustomEvent("run-offline", { detail: null }));
    this.tries = 0;
  }

  /** The stream broke, or the server had nothing more to say: it is asked which. */
  async #lost() {
    this.close();
    this.tries += 1;
    try {
      const response = await fetch(`/api/runs/${this.run}`, { headers: { Accept: "application/json" } });
      const run = response.ok ? await response.json() : null;
      if (response.status === 404) return;
      if (run && run.ended_at && this.log.done >= run.epochs_done) {
        this.#back();
        this.log.take("end", run, 0);
        this.#tell();
        return;
      }
    } catch {
      // No answer at all: tried again below.
    }
    this.#wait(delay(this.tries));
  }

  /** @param {number} seconds */
  #wait(seconds) {
    document.dispatchEvent(new CustomEvent("run-offline", { detail: seconds }));
    if (seconds <= 0) this.open();
    else this.timer = window.setTimeout(() => this.#wait(seconds - 1), 1000);
  }
}

const panel = document.querySelector("[data-run]");
if (panel instanceof HTMLElement) {
  const { run = "", stream = "", epochs = "0", done = "0", active } = panel.dataset;
  if (active !== undefined || Number(done) <= MOST_REPLAYED) {
    const follower = new RunStream(run, stream, Number(epochs));
    document.addEventListener("visibilitychange", () => (document.hidden ? follower.close() : follower.open()));
    addEventListener("pagehide", () => follower.close());
    addEventListener("pageshow", () => follower.open());
    follower.open();
  }
}
