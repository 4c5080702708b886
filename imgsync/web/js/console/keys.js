/** Keys that drive the session, wherever the focus is but in a field that takes text. */

const TEXT_FIELDS = "input:not([type=file]), textarea, select, [contenteditable]";

/**
 * What a key asks for: whoever has tapped on something goes on with the keys.
 *
 * @template T
 * @param {Readonly<Record<string, T>>} keys by their names, letters as small ones
 * @param {KeyboardEvent} event
 * @returns {T | undefined}
 */
export function keyed(keys, { target, key, ctrlKey, altKey, metaKey, defaultPrevented }) {
  if (ctrlKey || altKey || metaKey || defaultPrevented) return undefined;
  if (target instanceof Element && target.closest(TEXT_FIELDS) !== null) return undefined;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(keys, name) ? keys[name] : undefined;
}
