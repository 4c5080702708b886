/**
 * Nothing that a hand does by mistake moves an image, zooms it or covers it. What browsers leave
 * alone, such as another size of the window, the viewer tells.
 */

/** Keys that zoom, with Ctrl or Cmd; by another keyboard, "+" is there without Shift or with it. */
const ZOOM = ["+", "-", "=", "_", "0"];

/** @param {() => boolean} isShowing */
export function keepSteady(isShowing) {
  /** @param {Event} event */
  const prevent = (event) => {
    if (isShowing()) event.preventDefault();
  };
  // Of Safari: elsewhere the style says that no touch zooms.
  for (const name of ["contextmenu", "dragstart", "gesturestart", "gesturechange"]) {
    addEventListener(name, prevent);
  }
  // Also what a touchpad makes of a pinch.
  const wheel = (/** @type {WheelEvent} */ event) => event.ctrlKey && prevent(event);
  addEventListener("wheel", wheel, { passive: false });
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && ZOOM.includes(event.key)) prevent(event);
  });
}
