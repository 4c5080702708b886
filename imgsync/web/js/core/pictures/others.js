/**
 * What is known, and no picture that browsers show: the table of `core/pictures/others.py`.
 *
 * @typedef {object} OtherKind
 * @property {string} mediaType
 * @property {string} name what people call it
 * @property {string} advice what to do about it, as the end of a sentence
 */

const CONVERT = "convert it to PNG, JPEG, WebP or AVIF";
const DEVELOP = "export it as JPEG or PNG";
const EXPORT = "export it as PNG or JPEG";
const SLICES = "export its slices as PNG";
const PAGES = "save its pages as PNG";
const UNPACK = "unpack it";
const VIDEO = "export single frames as PNG";

/** @type {[string, string, string][]} */
const KINDS = [
  ["image/tiff", "TIFF, or a camera's raw picture", CONVERT],
  ["image/x-canon-cr2", "Canon's raw picture", DEVELOP],
  ["image/x-canon-cr3", "Canon's raw picture", DEVELOP],
  ["image/x-fuji-raf", "Fujifilm's raw picture", DEVELOP],
  ["image/x-olympus-orf", "Olympus' raw picture", DEVELOP],
  ["image/x-panasonic-rw2", "Panasonic's raw picture", DEVELOP],
  ["image/x-sigma-x3f", "Sigma's raw picture", DEVELOP],
  ["image/heic", "HEIC", "export it as JPEG; an iPhone takes JPEG by Settings, Camera, Formats, Most Compatible"],
  ["image/jxl", "JPEG XL", CONVERT],
  ["image/jp2", "JPEG 2000", CONVERT],
  ["image/j2c", "JPEG 2000", CONVERT],
  ["image/jxr", "JPEG XR", CONVERT],
  ["application/dicom", "DICOM", "export it as PNG from a DICOM viewer, with the contrast that readers are to see"],
  ["application/x-nifti", "NIfTI", SLICES],
  ["application/x-nrrd", "NRRD", SLICES],
  ["application/x-hdf5", "HDF5 or MINC", SLICES],
  ["image/fits", "FITS", EXPORT],
  ["image/x-czi", "Zeiss' microscope picture", EXPORT],
  ["image/vnd.microsoft.icon", "icon", CONVERT],
  ["image/vnd.adobe.photoshop", "Photoshop", EXPORT],
  ["image/x-xcf", "GIMP", EXPORT],
  ["image/x-exr", "OpenEXR", EXPORT],
  ["image/vnd.radiance", "Radiance HDR", EXPORT],
  ["image/x-portable-anymap", "PNM", CONVERT],
  ["image/vnd.djvu", "DjVu", PAGES],
  ["application/pdf", "PDF", PAGES],
  ["application/postscript", "PostScript", "export it as SVG or PNG"],
  ["application/x-ole-storage", "an Office file", PAGES],
  ["application/gzip", "gzip", "unpack it, or have its host say Content-Encoding: gzip"],
  ["application/zip", "zip, or an Office file", UNPACK],
  ["application/x-7z-compressed", "7z", UNPACK],
  ["application/vnd.rar", "RAR", UNPACK],
  ["video/mp4", "video", VIDEO],
  ["video/webm", "video", VIDEO],
  ["video/x-msvideo", "video", VIDEO],
  ["video/mpeg", "video", VIDEO],
  ["video/ogg", "video", VIDEO],
  ["video/x-ms-wmv", "video", VIDEO],
  ["video/x-mng", "MNG", CONVERT],
];

/** By media type. @type {ReadonlyMap<string, OtherKind>} */
export const OTHERS = new Map(
  KINDS.map(([mediaType, name, advice]) => [mediaType, { mediaType, name, advice }]),
);
