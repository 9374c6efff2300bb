"""Pictures of several kinds, and what clcontrast makes of them, in NumPy, Pillow and torch: what tests share that hand
its encoders to other programs."""

import configparser
import json
import os
import struct
import subprocess
import sys

def run_by_other_python():
    other = os.environ.pop("CLC_TORCH_PYTHON", None)
    if other:
        sys.exit(subprocess.run([other, *sys.argv], check=False).returncode)


def settings_of(encoder):
    """The configuration in the encoder's metadata."""
    with open(encoder, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    config = configparser.ConfigParser()
    config.read_string(header["__metadata__"]["config"])
    return config


def weights(extent, size):
    """(size, pixels): the antialiased triangle filter from `extent` pixels, the last of which may be a part."""
    import numpy as np

    pixels = int(np.ceil(extent))
    scale = extent / size
    centre = (np.arange(size) + 0.5) * scale
    w = 1 - np.abs(np.arange(pixels) + 0.5 - centre[:, None]) / max(scale, 1.0)
    w = np.maximum(w, 0)
    return w / w.sum(1, keepdims=True)


def fitted(height, width, side):
    """The size that is kept: a short side of at most `side`, a long one of at most twice of it."""
    factor = min(1.0, side / min(height, width), 2 * side / max(height, width))
    return [max(1, int(n * factor + 0.5)) for n in (height, width)]


def stored(path, side):
    """The picture as clcontrast keeps it: (H,W,3) bytes."""
    import numpy as np
    from PIL import Image, ImageOps

    image = Image.open(path)
    width, height = image.size
    h, w = fitted(height, width, side)
    parts = 8
    if image.format == "JPEG":
        # Decoded at 1/2, 1/4 or 1/8 where that is no smaller than what is kept.
        while parts > 1 and -(-height * parts // 16) >= h and -(-width * parts // 16) >= w:
            parts //= 2
        image.draft("RGB", (width * parts // 8, height * parts // 8))
    height, width = height * parts / 8, width * parts / 8
    if image.getexif().get(0x0112, 1) in (5, 6, 7, 8):
        height, width, h, w = width, height, w, h
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "P"):
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image.convert("RGBA"))
    pixels = np.asarray(image.convert("RGB"), np.float64)
    if (h, w) == pixels.shape[:2]:
        return pixels.astype(np.uint8)
    across = np.einsum("wx,yxc->ywc", weights(width, w), pixels)
    down = np.einsum("hy,ywc->hwc", weights(height, h), across)
    return np.floor(down + 0.5).clip(0, 255).astype(np.uint8)


def view(path, config):
    """(C,size,size) of 0 to 1: what a network sees of a picture, before it is normalised."""
    import torch
    from torchvision.transforms import functional as F

    size = config.getint("augmentation", "size")
    side = config.getint("data", "store_side")
    x = torch.from_numpy(stored(path, side)).permute(2, 0, 1).float() / 255
    square = min(x.shape[1:])
    top, left = (x.shape[1] - square) // 2, (x.shape[2] - square) // 2
    return F.resized_crop(x, top, left, square, square, [size, size], antialias=True)


def normalisation(config):
    """Mean and deviation of the channels, for white of 1."""
    return ([float(v) for v in config.get("augmentation", key).split(",")] for key in ("mean", "std"))


def write_pictures(folder):
    """Pictures of several kinds and sizes; returns their paths."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(3)
    os.makedirs(folder)
    paths = []

    def smooth(height, width, channels):
        small = Image.fromarray(rng.integers(0, 256, (6, 6, channels), np.uint8))
        return small.resize((width, height), Image.BICUBIC)

    def put(name, image, **options):
        paths.append(os.path.join(folder, name))
        image.save(paths[-1], **options)

    put("small.png", smooth(40, 70, 3))
    put("square.png", smooth(64, 64, 3))
    put("larger.png", smooth(150, 200, 3))
    put("broad.png", smooth(60, 600, 3))
    put("grey.png", smooth(80, 50, 3).convert("L"))
    put("alpha.png", smooth(90, 90, 4))
    put("palette.png", smooth(70, 90, 3).convert("P", palette=Image.ADAPTIVE))
    put("photo.jpg", smooth(375, 500, 3), quality=90)
    put("huge.jpg", smooth(1501, 999, 3), quality=90)
    exif = Image.Exif()
    exif[0x0112] = 6
    put("turned.jpg", smooth(300, 401, 3), quality=90, exif=exif)
    for i in range(22):
        put(f"more{i:02d}.png", smooth(64, 64, 3))
    return paths


def photographs(folder):
    """Parts of scikit-learn's two photographs, without loss; none where there is no scikit-learn."""
    from PIL import Image

    try:
        from sklearn.datasets import load_sample_images
    except ImportError:
        return []
    paths = []
    for i, pixels in enumerate(load_sample_images().images):
        image = Image.fromarray(pixels)
        for part, box in enumerate([(0, 0, 640, 427), (100, 50, 300, 400), (30, 200, 630, 260), (320, 200, 400, 264)]):
            paths.append(f"{folder}/photograph{i}{part}.png")
            image.crop(box).save(paths[-1])
    return paths
