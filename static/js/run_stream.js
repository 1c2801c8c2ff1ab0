// The one event stream of the page: follows the run that [data-run] names, and tells the rest of the page.
//
// "run" on the document, with the RunLog, whenever something is new. When the dock is drawn anew with another run, that
// one is followed. Of a long run the page takes a picture, and the stream begins after it.

import { askJson } from "./ask.js";
import { lost } from "./away.js";
import { delay } from "./lib/retry.js";
import { RunLog } from "./lib/run_log.js";

const MOST_REPLAYED = 20_000;
const CALM_MS = 250;
const COLUMNS = 1000;
const KINDS = ["epoch", "epochs", "modules", "status", "end"];

class RunStream {
  /**
   * @param {string} run its id
   * @param {string} address of the stream
   * @param {number} epochs
   * @param {boolean} isLong whether it begins with a picture
   */
  constructor(run, address, epochs, isLong) {
    this.run = run;
    this.isLong = isLong;
    /** @type {Promise<void> | undefined} */
    this.begun = undefined;
    this.address = address;
    this.log = new RunLog(epochs);
    /** @type {EventSource | null} */
    this.source = null;
    this.isTold = true;
    this.isGone = false;
    this.isOpen = false;
    this.failures = 0;
    this.isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  }

  open() {
    if (this.source || this.isGone || this.log.run || document.hidden) return;
    if (this.isLong) {
      this.begun ??= this.#begin();
      return;
    }
    const address = new URL(this.address, location.href);
    if (this.log.lastId) address.searchParams.set("after", String(this.log.lastId));
    this.source = new EventSource(address);
    this.source.onopen = () => {
      this.isOpen = true;
    };
    this.source.onerror = () => void this.#broke();
    for (const kind of KINDS) this.source.addEventListener(kind, (event) => this.#take(kind, event));
  }

  async #begin() {
    try {
      const response = await askJson(`/runs/${this.run}/picture?columns=${COLUMNS}`);
      if (response.ok) this.#drawn(await response.json());
    } catch {
      // The stream then tells it all from its start.
    }
    this.isLong = false;
    this.open();
  }

  /** @param {import("./lib/run_log.js").Picture} picture */
  #drawn(picture) {
    this.log.begin(picture);
    if (/** @type {{ended_at?: string | null}} */ (picture.run).ended_at) this.log.take("end", picture.run, picture.last_event);
    this.tell();
  }

  close() {
    this.source?.close();
    this.source = null;
  }

  /** Nothing more is wanted of it. */
  end() {
    this.isGone = true;
    this.close();
  }

  /**
   * @param {string} kind
   * @param {MessageEvent<string>} event
   */
  #take(kind, event) {
    this.log.take(kind, JSON.parse(event.data), Number(event.lastEventId));
    if (this.log.run) this.close();
    this.tell();
  }

  tell() {
    if (!this.isTold) return;
    this.isTold = false;
    const tell = () => {
      this.isTold = true;
      if (!this.isGone) document.dispatchEvent(new CustomEvent("run", { detail: this.log }));
    };
    if (this.isCalm) setTimeout(tell, CALM_MS);
    else requestAnimationFrame(tell);
  }

  /** The stream broke, or the server had nothing more to say: it is asked which, for as long as it does not answer. */
  async #broke() {
    this.close();
    this.failures = this.isOpen ? 0 : this.failures + 1;
    this.isOpen = false;
    await lost(`run ${this.run}`, () => this.#asked(), { isLive: this.log.status !== "paused" });
    setTimeout(() => this.open(), this.failures > 1 ? 1000 * delay(this.failures) : 0);
  }

  /** @returns {Promise<boolean>} whether the server answered */
  async #asked() {
    const response = await askJson(`/runs/${this.run}`);
    if (response.status === 404) this.end();
    if (!response.ok) return response.status === 404;
    const run = await response.json();
    if (run.ended_at && this.log.done >= run.epochs_done) {
      this.log.take("end", run, 0);
      this.tell();
    }
    return true;
  }
}

/** @type {RunStream | null} */
let stream = null;

/** Follows the run of the dock as it stands there now. */
function follow() {
  const panel = document.querySelector("[data-run]");
  if (!(panel instanceof HTMLElement)) return;
  const { run = "", stream: address = "", epochs = "0", done = "0", active } = panel.dataset;
  if (stream?.run === run && !(stream.log.run && active !== undefined)) {
    stream.tell();
    return;
  }
  stream?.end();
  stream = null;
  stream = new RunStream(run, address, Number(epochs), Number(done) > MOST_REPLAYED);
  stream.open();
}

document.addEventListener("swapped", (event) => {
  if (/** @type {CustomEvent<{areas: string[]}>} */ (event).detail.areas.includes("dock")) follow();
});
document.addEventListener("visibilitychange", () => (document.hidden ? stream?.close() : stream?.open()));
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", () => stream?.open());
follow();
