"""What a browser may do with a file of a package: show it, play it, or only save it.

A browser runs HTML, SVG and XML with the rights of the place that they come from, so they are never given to it as such; and it
looks into files whose type it does not know. So only files of known, harmless types keep their names and types.
"""

from __future__ import annotations

from collections.abc import Mapping

_PICTURES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "jfif": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "bmp": "image/bmp", "avif": "image/avif", "ico": "image/x-icon",
}  # fmt: skip
_SOUNDS = {
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "aac": "audio/aac", "ogg": "audio/ogg", "oga": "audio/ogg", "opus": "audio/ogg",
    "wav": "audio/wav", "flac": "audio/flac", "weba": "audio/webm",
}  # fmt: skip
_FILMS = {
    "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "ogv": "video/ogg", "mov": "video/quicktime",
}  # fmt: skip
_TEXTS = dict.fromkeys(("txt", "csv", "tsv", "log", "vtt", "srt"), "text/plain; charset=utf-8")
#: Types that a browser saves or opens in a viewer without our rights.
_SAVED = frozenset({
    "7z", "accdb", "ai", "aif", "aiff", "avi", "bib", "bz2", "dat", "dmg", "doc", "docm", "docx", "dot",
    "dotx", "dwg", "dxf", "eps", "epub", "exe", "fig", "flv", "gdoc", "gsheet", "gslides", "gz", "heic",
    "heif", "indd", "ipa", "ipynb", "iso", "jar", "java", "key", "kml", "kmz", "m3u", "mat", "mdb",
    "mid", "midi", "mkv", "mobi", "mp2", "mpeg", "mpg", "mpp", "msg", "msi", "numbers", "odg", "odp",
    "ods", "odt", "one", "otf", "pages", "parquet", "pdf", "pkg", "pot", "potx", "pps", "ppsx", "ppt",
    "pptm", "pptx", "ps", "psd", "pub", "r", "rar", "rda", "rdata", "rds", "rtf", "sas7bdat", "sav",
    "sdf", "sql", "sqlite", "stl", "tar", "tex", "tgz", "tif", "tiff", "ttf", "vsd", "vsdx", "wma",
    "wmv", "woff", "woff2", "wpd", "xls", "xlsb", "xlsm", "xlsx", "xlt", "xz", "z", "zip", "zst",
})  # fmt: skip
#: Types that a browser would run, or that are text that it might take for such.
_ACTIVE = frozenset({
    "asp", "aspx", "cfm", "cgi", "css", "dtd", "hta", "htm", "html", "htc", "js", "json", "jsp", "jsx",
    "less", "m", "mathml", "md", "mht", "mhtml", "mjs", "php", "pht", "phtml", "py", "rb", "rdf", "rss",
    "sh", "shtm", "shtml", "svg", "svgz", "swf", "ts", "vbs", "wasm", "xht", "xhtm", "xhtml", "xml",
    "xsd", "xsl", "xslt", "atom", "c", "cpp", "cs", "h", "hpp", "ini", "yaml", "yml", "toml", "go",
    "rs", "kt", "swift",
})  # fmt: skip
_SHOWN: Mapping[str, str] = {**_PICTURES, **_SOUNDS, **_FILMS, **_TEXTS}


def is_picture(name: str) -> bool:
    """Return whether a browser shows a file as a picture that cannot act."""
    return _ending(name) in _PICTURES


def is_audio(name: str) -> bool:
    """Return whether a browser may play a file as sound."""
    return _ending(name) in _SOUNDS


def is_video(name: str) -> bool:
    """Return whether a browser may play a file as a film."""
    return _ending(name) in _FILMS


def inert_name(name: str) -> str:
    """Return a name under which no browser runs a file, wherever it lies.

    ``.txt`` stands after a name of a type that browsers run, ``.bin`` after one that is not known to be harmless.
    """
    ending = _ending(name)
    if ending in _SHOWN or ending in _SAVED:
        return name
    return f"{name}.txt" if ending in _ACTIVE else f"{name}.bin"


def served_type(name: str) -> tuple[str, bool]:
    """Return the media type under which a server may send a file, and whether a browser may show it; else it is saved."""
    shown = _SHOWN.get(_ending(name))
    return (shown, True) if shown else ("application/octet-stream", False)


def _ending(name: str) -> str:
    base = name.rpartition("/")[2]
    return base.rpartition(".")[2].lower() if "." in base.lstrip(".") else ""
