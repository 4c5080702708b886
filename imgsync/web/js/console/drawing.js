/** Many things that happen at once are drawn once; what is as old as it is, is drawn again after a while. */
export class Drawing {
  #draw;
  #isDue = false;

  /** @param {() => void} draw @param {number} ageMs after which things have another age */
  constructor(draw, ageMs) {
    this.#draw = draw;
    setInterval(() => this.soon(), ageMs);
  }

  soon() {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.#draw();
    });
  }
}
