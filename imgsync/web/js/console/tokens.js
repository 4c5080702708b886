/** What tells one series of pictures, or of texts, from any other. @returns {string} 8 hexadecimal digits */
export function makeToken() {
  const [number = 0] = crypto.getRandomValues(new Uint32Array(1));
  return number.toString(16).padStart(8, "0");
}
