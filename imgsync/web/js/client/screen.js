/** The device's screen: kept awake while it is wanted, and filled on the first tap. */

/** See the module. */
export class Screen {
  #wakeLock = new WakeLock();
  #fullScreen;

  /** @param {() => void} changed @param {() => boolean} isTaken see `FullScreen` */
  constructor(changed, isTaken) {
    this.#fullScreen = new FullScreen(changed, isTaken);
  }

  /** Whether a tap fills it. */
  get canFill() {
    return this.#fullScreen.isOffered;
  }

  /** @param {boolean} isWanted */
  keepAwake(isWanted) {
    this.#wakeLock.want(isWanted);
  }
}

/** Keeps the screen awake while the page is looked at; a browser that can't, does not. */
class WakeLock {
  #isWanted = false;
  #isAsking = false;
  /** @type {WakeLockSentinel | null} */
  #lock = null;

  constructor() {
    // The browser takes it back whenever the page is hidden.
    document.addEventListener("visibilitychange", () => this.#ask());
    // Some browsers give it only to a page that has been touched.
    document.addEventListener("pointerup", () => this.#ask());
  }

  /** @param {boolean} isWanted */
  want(isWanted) {
    this.#isWanted = isWanted;
    if (isWanted) {
      this.#ask();
    } else {
      void this.#lock?.release();
      this.#lock = null;
    }
  }

  async #ask() {
    const isHeld = this.#isAsking || (this.#lock !== null && !this.#lock.released);
    if (!this.#isWanted || isHeld || document.visibilityState === "hidden") return;
    this.#isAsking = true;
    try {
      const lock = await navigator.wakeLock?.request("screen");
      if (this.#isWanted) this.#lock = lock ?? null;
      else void lock?.release();
    } catch {
      // Low battery, or a page without TLS.
    } finally {
      this.#isAsking = false;
    }
  }
}

/** Filled on the first tap, as browsers ask for, which is that on the door where there is one; nobody who leaves it then is fought. */
class FullScreen {
  #isTapped = false;

  /**
   * @param {() => void} changed
   * @param {() => boolean} isTaken whether the tap is for something else: a screen that is filled then would
   *   have what it shows in another size
   */
  constructor(changed, isTaken) {
    const fill = () => {
      if (isTaken()) return;
      document.removeEventListener("click", fill);
      this.#isTapped = true;
      if (document.fullscreenEnabled) {
        document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
      }
      changed();
    };
    document.addEventListener("click", fill);
  }

  /** Whether a tap fills it. An iPhone can't fill it with a page, nor can a page in a frame. */
  get isOffered() {
    return document.fullscreenEnabled && !this.#isTapped;
  }
}
