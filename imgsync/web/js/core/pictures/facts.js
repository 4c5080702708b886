/**
 * What a picture is, byte by byte.
 *
 * @typedef {{sha256: string, contentType: string, bytes: number, width: number | null, height: number | null}} Facts
 */
export {};
