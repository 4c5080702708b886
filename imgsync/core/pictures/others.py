"""What is known, and no picture that browsers show: what people call it, and what to do about it.

`web/js/core/pictures/others.js` has the same table.
"""

import attrs


@attrs.frozen
class OtherKind:
    """A kind of file that is known, and no picture that browsers show.

    :param name: what people call it.
    :param advice: what to do about it, as the end of a sentence.
    """

    media_type: str
    name: str
    advice: str


_CONVERT = "convert it to PNG, JPEG, WebP or AVIF"
_DEVELOP = "export it as JPEG or PNG"
_EXPORT = "export it as PNG or JPEG"
_SLICES = "export its slices as PNG"
_PAGES = "save its pages as PNG"
_UNPACK = "unpack it"
_VIDEO = "export single frames as PNG"

_KINDS = (
    OtherKind("image/tiff", "TIFF, or a camera's raw picture", _CONVERT),
    OtherKind("image/x-canon-cr2", "Canon's raw picture", _DEVELOP),
    OtherKind("image/x-canon-cr3", "Canon's raw picture", _DEVELOP),
    OtherKind("image/x-fuji-raf", "Fujifilm's raw picture", _DEVELOP),
    OtherKind("image/x-olympus-orf", "Olympus' raw picture", _DEVELOP),
    OtherKind("image/x-panasonic-rw2", "Panasonic's raw picture", _DEVELOP),
    OtherKind("image/x-sigma-x3f", "Sigma's raw picture", _DEVELOP),
    OtherKind(
        "image/heic",
        "HEIC",
        "export it as JPEG; an iPhone takes JPEG by Settings, Camera, Formats, Most Compatible",
    ),
    OtherKind("image/jxl", "JPEG XL", _CONVERT),
    OtherKind("image/jp2", "JPEG 2000", _CONVERT),
    OtherKind("image/j2c", "JPEG 2000", _CONVERT),
    OtherKind("image/jxr", "JPEG XR", _CONVERT),
    OtherKind(
        "application/dicom",
        "DICOM",
        "export it as PNG from a DICOM viewer, with the contrast that readers are to see",
    ),
    OtherKind("application/x-nifti", "NIfTI", _SLICES),
    OtherKind("application/x-nrrd", "NRRD", _SLICES),
    OtherKind("application/x-hdf5", "HDF5 or MINC", _SLICES),
    OtherKind("image/fits", "FITS", _EXPORT),
    OtherKind("image/x-czi", "Zeiss' microscope picture", _EXPORT),
    OtherKind("image/vnd.microsoft.icon", "icon", _CONVERT),
    OtherKind("image/vnd.adobe.photoshop", "Photoshop", _EXPORT),
    OtherKind("image/x-xcf", "GIMP", _EXPORT),
    OtherKind("image/x-exr", "OpenEXR", _EXPORT),
    OtherKind("image/vnd.radiance", "Radiance HDR", _EXPORT),
    OtherKind("image/x-portable-anymap", "PNM", _CONVERT),
    OtherKind("image/vnd.djvu", "DjVu", _PAGES),
    OtherKind("application/pdf", "PDF", _PAGES),
    OtherKind("application/postscript", "PostScript", "export it as SVG or PNG"),
    OtherKind("application/x-ole-storage", "an Office file", _PAGES),
    OtherKind("application/gzip", "gzip", "unpack it, or have its host say Content-Encoding: gzip"),
    OtherKind("application/zip", "zip, or an Office file", _UNPACK),
    OtherKind("application/x-7z-compressed", "7z", _UNPACK),
    OtherKind("application/vnd.rar", "RAR", _UNPACK),
    OtherKind("video/mp4", "video", _VIDEO),
    OtherKind("video/webm", "video", _VIDEO),
    OtherKind("video/x-msvideo", "video", _VIDEO),
    OtherKind("video/mpeg", "video", _VIDEO),
    OtherKind("video/ogg", "video", _VIDEO),
    OtherKind("video/x-ms-wmv", "video", _VIDEO),
    OtherKind("video/x-mng", "MNG", _CONVERT),
)

OTHERS = {kind.media_type: kind for kind in _KINDS}
"""By media type."""
