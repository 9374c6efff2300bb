"""clcontrast for Python: encoders, indices, training and evaluation, by its library. Needs NumPy.

    from clcontrast import Encoder, Index

    features = Encoder("runs/mine").embed(["a.jpg", "b.png"])     # (2, F) float32
    for path, similarity in Index("clcontrast.index").search("a.jpg", k=5):
        print(path, similarity)

The library is the one that CLC_LIBRARY names, or else that beside this file, of the prefix that this file is installed
in, or of the system. What it says goes to the logger "clcontrast". Failures are of class Error. Licence: MIT.
"""

import ctypes
import ctypes.util
import glob
import json
import logging
import os
import signal
import threading
import weakref

import numpy as np

__all__ = ["Encoder", "Error", "Index", "evaluate", "index", "train", "version"]

_SONAME = "libclcontrast.so.0"
_log = logging.getLogger("clcontrast")


class Error(RuntimeError):
    """A function of the library failed: `status` is its word, such as "INVALID", `message` says what was wrong."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status, self.message = status, message


# ---- the library ----


def _candidates():
    here = os.path.dirname(os.path.abspath(__file__))
    if os.environ.get("CLC_LIBRARY"):
        yield os.environ["CLC_LIBRARY"]
        return
    yield os.path.join(here, _SONAME)
    prefix = os.path.normpath(os.path.join(here, "../../.."))  # PREFIX/share/clcontrast/python
    for pattern in ("lib", "lib64", "lib/*"):
        yield from sorted(glob.glob(os.path.join(prefix, pattern, _SONAME)))
    yield _SONAME
    found = ctypes.util.find_library("clcontrast")
    if found:
        yield found


def _load():
    said = []
    for path in _candidates():
        if os.path.isabs(path) and not os.path.exists(path) and not os.environ.get("CLC_LIBRARY"):
            continue
        try:
            return ctypes.CDLL(path)
        except OSError as why:
            said.append(str(why))
    raise ImportError(f"{_SONAME} can't be loaded; name it by CLC_LIBRARY ({'; '.join(said)})")


_LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
_STOP = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)


class _Progress(ctypes.Structure):
    _fields_ = [
        ("step", ctypes.c_int64), ("steps", ctypes.c_int64), ("epoch", ctypes.c_int), ("epochs", ctypes.c_int),
        ("loss", ctypes.c_double), ("rate", ctypes.c_double), ("samples_per_second", ctypes.c_double),
        ("seconds_left", ctypes.c_double),
    ]  # fmt: skip


_PROGRESS = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(_Progress))
_TEXTS = ctypes.POINTER(ctypes.c_char_p)


class _Train(ctypes.Structure):
    _fields_ = [
        ("config", ctypes.c_char_p), ("overrides", _TEXTS), ("override_count", ctypes.c_size_t), ("device", ctypes.c_char_p),
        ("dry_run", ctypes.c_bool), ("overwrite", ctypes.c_bool), ("resume", ctypes.c_bool), ("checkpoint", ctypes.c_char_p),
        ("allow_changes", ctypes.c_bool), ("context", ctypes.c_void_p), ("log", _LOG), ("progress", _PROGRESS), ("stop", _STOP),
    ]  # fmt: skip


class _Evaluate(ctypes.Structure):
    _fields_ = [
        ("run", ctypes.c_char_p), ("device", ctypes.c_char_p), ("tasks", ctypes.c_char_p), ("data", ctypes.c_char_p),
        ("output", ctypes.c_char_p), ("overrides", _TEXTS), ("override_count", ctypes.c_size_t),
        ("context", ctypes.c_void_p), ("log", _LOG), ("stop", _STOP),
    ]  # fmt: skip


class _IndexOptions(ctypes.Structure):
    _fields_ = [
        ("encoder", ctypes.c_char_p), ("device", ctypes.c_char_p), ("tower", ctypes.c_char_p), ("output", ctypes.c_char_p),
        ("paths", _TEXTS), ("path_count", ctypes.c_size_t), ("overrides", _TEXTS), ("override_count", ctypes.c_size_t),
        ("context", ctypes.c_void_p), ("log", _LOG), ("stop", _STOP),
    ]  # fmt: skip


class _Match(ctypes.Structure):
    _fields_ = [("sample", ctypes.c_size_t), ("similarity", ctypes.c_float)]


_c = _load()
_HANDLE, _OUT = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
_FLOATS = np.ctypeslib.ndpointer(np.float32, flags="C_CONTIGUOUS")
_SIGNATURES = {
    "clc_version": (ctypes.c_char_p, []),
    "clc_error": (ctypes.c_char_p, []),
    "clc_status_name": (ctypes.c_char_p, [ctypes.c_int]),
    "clc_log_to": (None, [_LOG, ctypes.c_void_p]),
    "clc_encoder_open": (ctypes.c_int, [ctypes.c_char_p, ctypes.c_char_p, _OUT]),
    "clc_encoder_close": (None, [_OUT]),
    "clc_encoder_features": (ctypes.c_int, [_HANDLE]),
    "clc_encoder_reads": (ctypes.c_uint, [_HANDLE]),
    "clc_encoder_classes": (ctypes.c_size_t, [_HANDLE]),
    "clc_encoder_class": (ctypes.c_char_p, [_HANDLE, ctypes.c_size_t]),
    "clc_encoder_channels": (ctypes.c_int, [_HANDLE]),
    "clc_encoder_series_channels": (ctypes.c_int, [_HANDLE]),
    "clc_encoder_embed": (ctypes.c_int, [_HANDLE, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, _FLOATS]),
    "clc_encoder_embed_files": (ctypes.c_int, [_HANDLE, _TEXTS, ctypes.c_size_t, _FLOATS, ctypes.c_void_p]),
    "clc_encoder_embed_texts": (ctypes.c_int, [_HANDLE, _TEXTS, ctypes.c_size_t, _FLOATS]),
    "clc_encoder_embed_series": (ctypes.c_int, [_HANDLE, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p, _FLOATS]),
    "clc_searcher_open": (ctypes.c_int, [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, _OUT]),
    "clc_searcher_close": (None, [_OUT]),
    "clc_searcher_count": (ctypes.c_size_t, [_HANDLE]),
    "clc_searcher_name": (ctypes.c_char_p, [_HANDLE, ctypes.c_size_t]),
    "clc_searcher_encoder": (ctypes.c_void_p, [_HANDLE]),
    "clc_searcher_find": (ctypes.c_int, [_HANDLE, _FLOATS, ctypes.c_size_t, ctypes.c_int, ctypes.POINTER(_Match)]),
    "clc_index_update": (ctypes.c_int, [ctypes.POINTER(_IndexOptions)]),
    "clc_train": (ctypes.c_int, [ctypes.POINTER(_Train)]),
    "clc_evaluate": (ctypes.c_int, [ctypes.POINTER(_Evaluate), _OUT]),
    "clc_results_json": (ctypes.c_char_p, [_HANDLE]),
    "clc_results_free": (None, [_OUT]),
}
for _name, (_result, _arguments) in _SIGNATURES.items():
    getattr(_c, _name).restype = _result
    getattr(_c, _name).argtypes = _arguments

version = _c.clc_version().decode()

_LEVELS = (logging.INFO, logging.WARNING, logging.INFO)


@_LOG
def _take_text(_, level, text):
    _log.log(_LEVELS[level], "%s", text.decode(errors="replace"))


_c.clc_log_to(_take_text, None)


def _check(status):
    if status:
        raise Error(_c.clc_status_name(status).decode(), _c.clc_error().decode(errors="replace"))


def _bytes(text):
    """A path or text; None stays None."""
    return None if text is None else os.fsencode(text)


def _texts(texts):
    return (ctypes.c_char_p * max(1, len(texts)))(*texts)


def _overrides(settings):
    """{"training.epochs": 3} as the library takes it."""
    words = [f"{key}={value}".encode() for key, value in (settings or {}).items()]
    return {"overrides": _texts(words), "override_count": len(words)}


def _close(function, handle):
    function(ctypes.byref(ctypes.c_void_p(handle)))


class _Handle:
    """What is closed at the end of a `with`, by close(), or when nobody refers to it any more."""

    def __init__(self, handle, close):
        self._handle = handle
        self._finalizer = weakref.finalize(self, _close, close, handle.value)

    def close(self):
        self._finalizer()
        self._handle = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def _as_parameter(self):
        if not self._handle:
            raise Error("INVALID", "it is closed")
        return self._handle


# ---- encoders ----


def _is_name(one):
    return isinstance(one, (str, bytes, os.PathLike))


def _pixels(image):
    """(H,W,C) bytes of an array or of a picture of Pillow. Of floats white is 1, of 16-bit numbers 65535."""
    if hasattr(image, "getbands"):
        image = _from_pillow(image)
    array = np.asarray(image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3:
        raise TypeError(f"an image of shape {array.shape}: (H,W), (H,W,C) or, of several, (N,H,W,C) is needed")
    if array.dtype == bool or array.dtype.kind == "f" or array.dtype == np.uint16:
        white = 65535 if array.dtype == np.uint16 else 1
        array = np.floor(np.clip(np.nan_to_num(array.astype(np.float64)) / white, 0, 1) * 255 + 0.5).astype(np.uint8)
    if array.dtype != np.uint8:
        raise TypeError(f"an image of {array.dtype}: uint8, uint16, or floats from 0 to 1 are needed")
    return np.ascontiguousarray(array)


def _from_pillow(image):
    """Transparent pixels are put on white."""
    if image.mode in ("L", "RGB") or image.mode.startswith("I;16"):
        return image
    if image.mode == "1":
        return image.convert("L")
    if "A" in image.mode or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = layer.copy()
        white.paste((255, 255, 255, 255), (0, 0, *layer.size))
        white.alpha_composite(layer)
        image = white
    return image.convert("RGB")


class Encoder(_Handle):
    """An encoder, from the folder of a run or an encoder.safetensors, on a device (a number, "cpu", "gpu" or part of a
    name; None: the best). Several threads may use it at once."""

    def __init__(self, path, device=None):
        handle = ctypes.c_void_p()
        _check(_c.clc_encoder_open(_bytes(path), _bytes(device), ctypes.byref(handle)))
        super().__init__(handle, _c.clc_encoder_close)

    @property
    def features(self):
        """Numbers that an image or text gives."""
        return _c.clc_encoder_features(self._as_parameter)

    @property
    def reads(self):
        """What it reads: some of "images", "texts", "series"."""
        bits = _c.clc_encoder_reads(self._as_parameter)
        return tuple(word for bit, word in ((1, "images"), (2, "texts"), (4, "series")) if bits & bit)

    @property
    def channels(self):
        """Of images, to which others are converted, or of series."""
        return _c.clc_encoder_channels(self._as_parameter) or _c.clc_encoder_series_channels(self._as_parameter)

    @property
    def classes(self):
        """Names of the classes of the training samples."""
        handle = self._as_parameter
        return [_c.clc_encoder_class(handle, i).decode(errors="replace") for i in range(_c.clc_encoder_classes(handle))]

    def embed(self, what, kind=None, bad="raise"):
        """Features, float32, of one (F) or of several (N,F):

        images: arrays (H,W) or (H,W,C) of 1, 3, 4 or the encoder's channels, or of several (N,H,W) or (N,H,W,C), of bytes,
                16 bits, or floats from 0 to 1; pictures of Pillow
        paths:  of a picture each; of what can't be read rows are NaN with bad="nan", and an Error else
        texts:  strings
        series: arrays (T) or (T,C), or of several (N,T,C)

        or lists of such. What a string is depends on what the encoder reads: of one that reads images and texts it is
        a path where there is such a file, and a text else; `kind` = "path" or "text" says it."""
        one = _is_name(what) or hasattr(what, "getbands") or (isinstance(what, np.ndarray) and self._is_one(what.shape))
        items = [what] if one else list(what)
        features = np.empty((len(items), self.features), np.float32)
        if items:
            self._embed_all(items, features, kind, bad)
        return features[0] if one else features

    def _is_one(self, shape):
        if self.reads == ("series",):
            return len(shape) <= 2
        return len(shape) <= 2 or (len(shape) == 3 and shape[2] in (1, 3, 4, self.channels))

    def _embed_all(self, items, features, kind, bad):
        names = [_is_name(item) for item in items]
        if not any(names):
            return self._embed_series(items, features) if self.reads == ("series",) else self._embed_images(items, features)
        if not all(names):
            raise TypeError("some are strings or paths, others aren't: embed them one kind at a time")
        paths = [self._is_path(item, kind) for item in items]
        if any(paths) and not all(paths):
            missing = items[paths.index(False)]
            raise Error("IO", f"{missing!r} is no file, others are: say kind='path' or kind='text'")
        if paths[0]:
            return self._embed_files(items, features, bad)
        texts = [item.encode() if isinstance(item, str) else item for item in items]
        return _check(_c.clc_encoder_embed_texts(self._as_parameter, _texts(texts), len(texts), features))

    def _is_path(self, item, kind):
        if kind not in (None, "path", "text"):
            raise ValueError(f"kind={kind!r}: it is 'path' or 'text'")
        if kind or isinstance(item, os.PathLike):
            return kind != "text"
        reads = self.reads
        return "images" in reads and ("texts" not in reads or os.path.exists(item))

    def _embed_files(self, paths, features, bad):
        flags = np.zeros(len(paths), np.bool_)
        where = flags.ctypes.data if bad == "nan" else None
        names = _texts([_bytes(path) for path in paths])
        _check(_c.clc_encoder_embed_files(self._as_parameter, names, len(paths), features, where))

    def _embed_images(self, images, features):
        """Those of a size together."""
        sizes = {}
        pixels = [_pixels(image) for image in images]
        for i, image in enumerate(pixels):
            sizes.setdefault(image.shape, []).append(i)
        for shape, numbers in sizes.items():
            batch = np.ascontiguousarray(np.stack([pixels[i] for i in numbers]))
            found = np.empty((len(numbers), features.shape[1]), np.float32)
            _check(_c.clc_encoder_embed(self._as_parameter, batch.ctypes.data, len(numbers), *shape, found))
            features[numbers] = found

    def _embed_series(self, series, features):
        rows = [np.asarray(one, np.float32) for one in series]
        rows = [one[:, None] if one.ndim == 1 else one for one in rows]
        channels = _c.clc_encoder_series_channels(self._as_parameter)
        for one in rows:
            if one.ndim != 2 or one.shape[1] != channels:
                raise TypeError(f"a series of shape {one.shape}: (T,{channels}) is needed")
        lengths = np.array([len(one) for one in rows], np.intc)
        values = np.zeros((len(rows), max(1, lengths.max()), channels), np.float32)
        for i, one in enumerate(rows):
            values[i, : len(one)] = one
        _check(_c.clc_encoder_embed_series(self._as_parameter, values.ctypes.data, len(rows), values.shape[1],
                                           lengths.ctypes.data, features))  # fmt: skip


# ---- indices ----


class Index(_Handle):
    """An index that `clcontrast index` or index() made, to be searched. `encoder` is the run or file that made it, if it
    isn't where it was."""

    def __init__(self, path, encoder=None, device=None):
        handle = ctypes.c_void_p()
        _check(_c.clc_searcher_open(_bytes(path), _bytes(encoder), _bytes(device), ctypes.byref(handle)))
        super().__init__(handle, _c.clc_searcher_close)

    def __len__(self):
        return _c.clc_searcher_count(self._as_parameter)

    def name(self, number):
        """Of a sample, such as its path."""
        name = _c.clc_searcher_name(self._as_parameter, number)
        if name is None:
            raise IndexError(number)
        return os.fsdecode(name)

    def search(self, query, k=10, kind=None):
        """The k samples that are most like the query, a list of (name, similarity), the nearest first. A query is what
        Encoder.embed takes, or features, an array (F) of floats. Of a list of queries, or of features (N,F), a list of
        such lists."""
        features = self._features_of(query, kind)
        one, rows = features.ndim == 1, np.ascontiguousarray(np.atleast_2d(features))
        k = min(k, len(self)) if k > 0 else k
        matches = (_Match * max(1, len(rows) * k))()
        if len(rows):
            _check(_c.clc_searcher_find(self._as_parameter, rows, len(rows), k, matches))
        found = [[(self.name(m.sample), m.similarity) for m in matches[i * k : i * k + k] if m.sample < len(self)]
                 for i in range(len(rows))]  # fmt: skip
        return found[0] if one else found

    def _features_of(self, query, kind):
        encoder = _Borrowed(_c.clc_searcher_encoder(self._as_parameter))
        features = isinstance(query, np.ndarray) and query.dtype.kind == "f" and query.ndim <= 2
        if features and query.shape[-1] == encoder.features:
            return np.asarray(query, np.float32)
        return encoder.embed(query, kind)


class _Borrowed(Encoder):
    """An encoder that somebody else closes."""

    def __init__(self, handle):  # pylint: disable=super-init-not-called
        self._handle = ctypes.c_void_p(handle)


def index(encoder, paths, output="clcontrast.index", device=None, tower=None, settings=None):
    """Makes an index of pictures, folders or files of texts, or brings it up to date, and opens it."""
    names = [_bytes(path) for path in ([paths] if _is_name(paths) else paths)]
    with _Calls() as calls:
        options = _IndexOptions(_bytes(encoder), _bytes(device), _bytes(tower), _bytes(output), _texts(names), len(names),
                                log=_take_text, stop=calls.stop, **_overrides(settings))  # fmt: skip
        _check(_c.clc_index_update(ctypes.byref(options)))
    return Index(output, encoder, device)


# ---- training and evaluation ----


class _Calls:
    """Callbacks of a long call, in a `with` around it: an exception of them, or Ctrl-C, ends it and comes out of it."""

    def __init__(self, progress=None):
        self._raised, self._told, self._former = None, progress, None
        self.stop = _STOP(lambda _: self._raised is not None)
        self.progress = _PROGRESS(self._progress)

    def _progress(self, _, progress):
        try:
            if self._told and self._raised is None:
                p = progress.contents
                self._told({name: getattr(p, name) for name, _ in p._fields_})
        except BaseException as why:  # pylint: disable=broad-except
            self._raised = why

    def _interrupt(self, *_):
        self._raised = KeyboardInterrupt()

    def __enter__(self):
        mine = threading.current_thread() is threading.main_thread()
        if mine and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._former = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, kind, *_):
        if self._former:
            signal.signal(signal.SIGINT, self._former)
        if self._raised is not None and kind in (None, Error):
            raise self._raised from None


def train(config, settings=None, device=None, progress=None, resume=False, overwrite=False, allow_changes=False):
    """Trains as the .ini file `config` says, with settings such as {"training.epochs": 3} over it. progress, if given, is
    called after each step with a dict of step, steps, epoch, epochs, loss, rate, samples_per_second and seconds_left;
    an exception in it saves the state, ends the training and comes out of this function."""
    with _Calls(progress) as calls:
        options = _Train(_bytes(config), device=_bytes(device), resume=resume, overwrite=overwrite, allow_changes=allow_changes,
                         log=_take_text, progress=calls.progress, stop=calls.stop, **_overrides(settings))  # fmt: skip
        _check(_c.clc_train(ctypes.byref(options)))


def evaluate(run, tasks=None, data=None, output=None, device=None, settings=None):
    """Evaluates a run as `clcontrast eval` does, and returns {"encoder": {"knn": {...}, ...}, ...}."""
    results = ctypes.c_void_p()
    names = ",".join(tasks) if isinstance(tasks, (list, tuple)) else tasks
    with _Calls() as calls:
        options = _Evaluate(_bytes(run), _bytes(device), _bytes(names), _bytes(data), _bytes(output), log=_take_text,
                            stop=calls.stop, **_overrides(settings))  # fmt: skip
        _check(_c.clc_evaluate(ctypes.byref(options), ctypes.byref(results)))
    rows = json.loads(_c.clc_results_json(results))
    _c.clc_results_free(ctypes.byref(results))
    return {row["features"]: row for row in rows}
