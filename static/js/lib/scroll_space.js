// How far a long list is scrolled, where a browser cannot lay it out at its full height.

// Firefox draws nothing beyond some 17.9 million pixels.
const MOST_PX = 8_000_000;

export class ScrollSpace {
  /** Where the list is, in its own pixels. */
  offset = 0;
  #height = 0;
  #view = 0;
  #scrolled = 0;

  /**
   * @param {number} height of the whole list
   * @param {number} view of what is to be seen at once
   */
  measure(height, view) {
    this.#height = height;
    this.#view = view;
    this.offset = Math.min(this.offset, this.#most);
  }

  /** @returns {number} the height to lay out */
  get height() {
    return Math.min(this.#height, MOST_PX);
  }

  get #most() {
    return Math.max(0, this.#height - this.#view);
  }

  /** @returns {number} of the list's pixels to one that is scrolled */
  get #ratio() {
    const room = this.height - this.#view;
    return room > 0 ? this.#most / room : 1;
  }

  /**
   * @param {number} scrolled by the browser
   * @returns {number} the offset then: steps of less than a view are taken as they are, also in a list that is squeezed
   */
  scroll(scrolled) {
    const step = scrolled - this.#scrolled;
    const isEnd = scrolled <= 0 || scrolled >= this.height - this.#view;
    const isStep = Math.abs(step) < this.#view && !isEnd;
    this.offset = Math.min(Math.max(isStep && this.#ratio > 1 ? this.offset + step : scrolled * this.#ratio, 0), this.#most);
    this.#scrolled = scrolled;
    return this.offset;
  }

  /**
   * @param {number} offset to go to
   * @returns {number} what the browser is to scroll to
   */
  to(offset) {
    this.offset = Math.min(Math.max(offset, 0), this.#most);
    this.#scrolled = this.offset / this.#ratio;
    return this.#scrolled;
  }

  /**
   * @param {number} top of a row in the list
   * @returns {number} where it is laid out
   */
  place(top) {
    return top - this.offset + this.#scrolled;
  }
}
