(async () => {
  const { PictureCheck } = await import("/web/js/core/pictures/check.js");
  const { Picture } = await import("/web/js/client/picture.js");
  const { wrapPicture } = await import("/web/js/page/wrapping.js");
  const { signal } = new AbortController();
  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

  /** What becomes of a picture: the width of its element, or why there is none. */
  window.show = async (text) => {
    const check = new PictureCheck();
    const bytes = bytesOf(text);
    check.feed(bytes);
    const { kind, reason } = check.end();
    if (reason !== null) return reason;
    try {
      const blob = await wrapPicture([bytes.subarray(0, 9), bytes.subarray(9)], kind.mediaType);
      return (await new Picture(blob, null).take(signal)).naturalWidth;
    } catch (error) {
      return error.constructor.name;
    }
  };

  /** How large it is, as is read from its bytes and as the browser has it. */
  window.measure = async (text) => {
    const check = new PictureCheck();
    const bytes = bytesOf(text);
    check.feed(bytes);
    const { kind } = check.end();
    const picture = new Picture(await wrapPicture([bytes], kind.mediaType));
    const { naturalWidth, naturalHeight } = await picture.take(signal);
    return [check.size && [check.size.width, check.size.height], [naturalWidth, naturalHeight]];
  };

  /** The same where the browser refuses it so many times. */
  window.showAfter = async (text, refusals) => {
    const { decode } = HTMLImageElement.prototype;
    HTMLImageElement.prototype.decode = function () {
      refusals -= 1;
      return refusals < 0 ? decode.call(this) : Promise.reject(new DOMException("", "EncodingError"));
    };
    try {
      return await window.show(text);
    } finally {
      HTMLImageElement.prototype.decode = decode;
    }
  };
})();
