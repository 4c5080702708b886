/**
 * One thumbnail is dragged between others, with a mouse or a pen. By pointer events: a button can't be
 * dragged as HTML has it in Firefox, and a finger scrolls the list.
 *
 * @typedef {object} DraggingListener
 * @property {() => boolean} canDrag
 * @property {(from: number, to: number) => void} dropped `to`: the place that it has then
 */

/** Pixels from where on it is no tap any more. */
const THRESHOLD = 6;
/** So near to an edge the list scrolls, by so much in a frame. */
const EDGE = 48;
const STEP = 14;

export class Dragging {
  #list;
  #listener;
  /** @type {{item: Element, pointer: number, from: number, startX: number, x: number, isMoving: boolean} | null} */
  #drag = null;
  /** Where it would be put in. @type {number | null} */
  #gap = null;

  /** @param {HTMLElement} list @param {DraggingListener} listener */
  constructor(list, listener) {
    this.#list = list;
    this.#listener = listener;
    list.addEventListener("pointerdown", (event) => this.#begin(event));
    list.addEventListener("pointermove", (event) => this.#move(event));
    list.addEventListener("pointerup", () => this.#end(true));
    list.addEventListener("pointercancel", () => this.#end(false));
    list.addEventListener("keydown", ({ key }) => {
      if (key === "Escape") this.#end(false);
    });
  }

  /** @param {PointerEvent} event */
  #begin({ target, pointerType, pointerId, button, clientX }) {
    const item = target instanceof Element ? target.closest("li") : null;
    if (item === null || pointerType === "touch" || button !== 0 || !this.#listener.canDrag()) return;
    const from = [...this.#list.children].indexOf(item);
    this.#drag = { item, pointer: pointerId, from, startX: clientX, x: clientX, isMoving: false };
  }

  /** @param {PointerEvent} event */
  #move({ clientX }) {
    const drag = this.#drag;
    if (drag === null) return;
    drag.x = clientX;
    if (drag.isMoving || Math.abs(clientX - drag.startX) < THRESHOLD) return;
    drag.isMoving = true;
    this.#list.setPointerCapture(drag.pointer);
    drag.item.setAttribute("data-dragged", "");
    const follow = () => {
      if (this.#drag !== drag) return;
      this.#follow(drag.x);
      requestAnimationFrame(follow);
    };
    follow();
  }

  /** @param {number} x */
  #follow(x) {
    const { left, right, top, height } = this.#list.getBoundingClientRect();
    if (x < left + EDGE) this.#list.scrollLeft -= STEP;
    if (x > right - EDGE) this.#list.scrollLeft += STEP;
    const inside = Math.max(left + 1, Math.min(x, right - 1));
    const item = document.elementFromPoint(inside, top + height / 2)?.closest("li");
    if (!item || item.parentElement !== this.#list) return;
    const box = item.getBoundingClientRect();
    const place = [...this.#list.children].indexOf(item);
    this.#mark(inside > box.left + box.width / 2 ? place + 1 : place);
  }

  /** @param {boolean} isDropped */
  #end(isDropped) {
    const drag = this.#drag;
    const gap = this.#gap;
    this.#drag = null;
    this.#mark(null);
    drag?.item.removeAttribute("data-dragged");
    if (!isDropped || drag === null || !drag.isMoving || gap === null) return;
    this.#listener.dropped(drag.from, gap > drag.from ? gap - 1 : gap);
  }

  /** @param {number | null} gap before which item it would come */
  #mark(gap) {
    if (gap === this.#gap) return;
    for (const one of this.#list.querySelectorAll("[data-gap]")) one.removeAttribute("data-gap");
    this.#gap = gap;
    if (gap === null) return;
    const { children } = this.#list;
    if (gap < children.length) children[gap]?.setAttribute("data-gap", "before");
    else children[gap - 1]?.setAttribute("data-gap", "after");
  }
}
