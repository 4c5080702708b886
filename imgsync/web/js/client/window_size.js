/** Whether the window, and with it what is shown, has changed its size. */

/** After so long a size is taken to stay: a window that is pulled at has another in each frame. */
const STEADY_MS = 200;

/** In pixels of the screen: where the browser zooms, the window has as many, and so has the image. */
function sizeOfScreen() {
  const scale = devicePixelRatio * (visualViewport?.scale ?? 1);
  return [innerWidth * scale, innerHeight * scale];
}

/**
 * @param {() => void} changed at each change
 * @param {() => void} steady once the size stays the same
 */
export function watchSize(changed, steady) {
  let size = sizeOfScreen();
  /** @type {number | undefined} */
  let steadying;
  const resized = () => {
    const [before, now] = [size, sizeOfScreen()];
    // Browsers that zoom round to whole pixels of the page.
    const isSame = now.every((side, index) => Math.abs(side - (before[index] ?? 0)) <= 2 * devicePixelRatio);
    if (isSame) return;
    size = now;
    changed();
    clearTimeout(steadying);
    steadying = setTimeout(steady, STEADY_MS);
  };
  addEventListener("resize", resized);
  visualViewport?.addEventListener("resize", resized);
}
