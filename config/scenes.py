#!/usr/bin/env python3
"""Makes scenes for segmentation and detection: stamps of Tux Paint on photographs of Debian's lomiri-wallpapers-16.04.

    scenes.py OUT [--train 2000] [--labelled 300] [--test 200] [--size 160x120] [--seed 1] [--one-class] [--objects 0]

OUT/train/images/00000.jpg     pictures
OUT/train/masks/00000.png      their masks: a class a pixel, 0 background, 255 soft edges and what is nearly covered
OUT/train.json                 boxes around what is seen of each object, as COCO has them
OUT/classes.txt                a class a line, from 1 on: the top folders of the stamps, or with --one-class "object"

The test scenes likewise.

OUT/objects/00000/0.jpg        with --objects N: each training stamp so often, alone on windows of photographs of training

Masks and boxes are made of the first so many training scenes only. No stamp (nor one whose name differs by a number) and
no photograph is in both parts. The same seed and packages make the same scenes. Needs python3-pil.
"""

import argparse
import glob
import hashlib
import json
import os
import random
import re
import sys

from PIL import Image, ImageChops

STAMPS = "/usr/share/tuxpaint/stamps"
PHOTOS = "/usr/share/backgrounds/*_by_*.jpg"
DRAWN = ("analogpattern", "umang")  # of these no photographs
LEAST_STAMPS = 6
TEST_SHARE = 0.25
OBJECTS = (1, 5)
SIDES = (0.2, 0.6)  # the longer one of an object, as a share of the scene's height
OBJECT_SIDE, OBJECT_SIDES = 64, (0.5, 0.95)  # of pictures of single objects; their longer side as a share of it
SOLID, SOFT = 128, (25, 230)  # alpha
LEAST_SEEN = 0.3  # of an object's area, or it doesn't count


def of_test(name):
    """Whether what has such a name is for the test: by a hash, without numbers."""
    family = re.sub(r"[\W\d_]+", "", name.lower())
    return int(hashlib.sha256(family.encode()).hexdigest()[:8], 16) < TEST_SHARE * 2**32


def stamps():
    """{class: {part: [path]}} of stamps with a transparent background."""
    found = {}
    for path in sorted(glob.glob(STAMPS + "/**/*.png", recursive=True)):
        if "_mirror" in path or "_flip" in path:
            continue
        with Image.open(path) as image:
            if image.mode not in ("RGBA", "LA", "P"):
                continue
            histogram = image.convert("RGBA").getchannel("A").histogram()
        if sum(histogram[:16]) > 0.02 * sum(histogram) and sum(histogram[SOLID:]) > 0.03 * sum(histogram):
            name = os.path.relpath(path, STAMPS).split(os.sep)[0]
            part = "test" if of_test(os.path.basename(path)[:-4]) else "train"
            found.setdefault(name, {"train": [], "test": []})[part].append(path)
    return {name: parts for name, parts in found.items() if min(map(len, parts.values())) >= LEAST_STAMPS / 3
            and len(parts["train"]) >= LEAST_STAMPS}


def photographs():
    paths = [p for p in sorted(glob.glob(PHOTOS)) if not os.path.basename(p).startswith(DRAWN)]
    if len(paths) < 4:
        sys.exit("there are no photographs: apt-get install lomiri-wallpapers-16.04")
    cut = max(1, int(len(paths) * TEST_SHARE))
    paths.sort(key=lambda p: hashlib.sha256(os.path.basename(p).encode()).hexdigest())
    return {"test": paths[:cut], "train": paths[cut:]}


def background(rng, photo, size):
    """A window of the photograph, mirrored every second time."""
    scale = min(photo.width / size[0], photo.height / size[1]) * rng.uniform(0.35, 1)
    width, height = scale * size[0], scale * size[1]
    x, y = rng.uniform(0, photo.width - width), rng.uniform(0, photo.height - height)
    image = photo.resize(size, Image.BILINEAR, box=(x, y, x + width, y + height), reducing_gap=3.0)
    return image.transpose(Image.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def prepared(rng, path, height, sides=SIDES):
    """The stamp, cut to what is seen, turned a little, mirrored every second time, at a random size."""
    with Image.open(path) as image:
        image = image.convert("RGBA")
    image.thumbnail((2 * height, 2 * height))
    image = image.rotate(rng.uniform(-15, 15), Image.BICUBIC, expand=True)
    image = image.crop(image.getchannel("A").point(lambda a: 255 * (a >= SOLID)).getbbox())
    scale = rng.uniform(*sides) * height / max(image.size)
    size = [max(3, round(scale * side)) for side in image.size]
    image = image.convert("RGBa").resize(size, Image.BOX if scale < 1 else Image.BICUBIC).convert("RGBA")
    return image.transpose(Image.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else image


def area(mask):
    return mask.histogram()[255]


def scene(rng, photo, pool, size):
    """Picture, mask and objects: (class, box, area)."""
    picture, objects = background(rng, photo, size), []
    soft = Image.new("L", size, 0)
    for _ in range(rng.randint(*OBJECTS)):
        number = rng.randrange(len(pool))
        stamp = prepared(rng, rng.choice(pool[number]), size[1])
        x = rng.randint(-stamp.width // 4, size[0] - 3 * stamp.width // 4)
        y = rng.randint(-stamp.height // 4, size[1] - 3 * stamp.height // 4)
        alpha = Image.new("L", size, 0)
        alpha.paste(stamp.getchannel("A"), (x, y))
        solid = alpha.point(lambda a: 255 * (a >= SOLID))
        picture.paste(stamp.convert("RGB"), (x, y), stamp.getchannel("A"))
        for other in objects:
            other["seen"] = ImageChops.subtract(other["seen"], solid)
        edge = alpha.point(lambda a: 255 * (SOFT[0] < a < SOFT[1]))
        soft = ImageChops.lighter(ImageChops.subtract(soft, solid), edge)
        objects.append({"class": number + 1, "seen": solid, "whole": max(1, area(solid))})
    mask, found = Image.new("L", size, 0), []
    for one in objects:
        counts = area(one["seen"]) >= max(12, LEAST_SEEN * one["whole"])
        mask.paste(one["class"] if counts else 255, (0, 0), one["seen"])
        if counts:
            left, top, right, bottom = one["seen"].getbbox()
            found.append((one["class"], [left, top, right - left, bottom - top], area(one["seen"])))
    mask.paste(255, (0, 0), soft)
    return picture, mask, found


def opened(paths):
    """Photographs, as large as scenes need them."""
    found = []
    for path in paths:
        with Image.open(path) as image:
            image.draft("RGB", (1280, 960))
            found.append(image.convert("RGB"))
    return found


def write_objects(options, pools, photos):
    """A folder a stamp: what an encoder is to find alike is the object, whatever lies behind it."""
    paths = [path for name in sorted(pools) for path in pools[name]["train"]]
    behind, size = opened(photos["train"]), (OBJECT_SIDE, OBJECT_SIDE)
    for number, path in enumerate(paths):
        folder = os.path.join(options.out, "objects", f"{number:05d}")
        os.makedirs(folder, exist_ok=True)
        for i in range(options.objects):
            rng = random.Random(f"{options.seed} object {number} {i}")
            picture, stamp = background(rng, rng.choice(behind), size), prepared(rng, path, OBJECT_SIDE, OBJECT_SIDES)
            place = tuple(rng.randint(0, OBJECT_SIDE - side) for side in stamp.size)
            picture.paste(stamp.convert("RGB"), place, stamp.getchannel("A"))
            picture.save(os.path.join(folder, f"{i}.jpg"), quality=92)
    print(f"objects: {len(paths)} stamps, {options.objects} pictures of each")


def classes_of(options, pools):
    return ["object"] if options.one_class else sorted(pools)


def write_part(options, part, number, labelled, pools, photos):
    names = sorted(pools)
    document = {"images": [], "annotations": [],
                "categories": [{"id": i + 1, "name": name} for i, name in enumerate(classes_of(options, pools))]}
    for folder in ("images", "masks"):
        os.makedirs(os.path.join(options.out, part, folder), exist_ok=True)
    behind = opened(photos[part])
    for i in range(number):
        rng = random.Random(f"{options.seed} {part} {i}")
        picture, mask, found = scene(rng, rng.choice(behind), [pools[n][part] for n in names], options.size)
        if options.one_class:
            mask = mask.point(lambda v: v if v in (0, 255) else 1)
            found = [(1, box, size) for _, box, size in found]
        picture.save(os.path.join(options.out, part, "images", f"{i:05d}.jpg"), quality=92)
        if i >= labelled:
            continue
        mask.save(os.path.join(options.out, part, "masks", f"{i:05d}.png"))
        document["images"].append({"id": i, "file_name": f"{i:05d}.jpg", "width": options.size[0],
                                   "height": options.size[1]})
        for number_of_class, box, size in found:
            document["annotations"].append({"id": len(document["annotations"]) + 1, "image_id": i, "bbox": box,
                                            "category_id": number_of_class, "area": size, "iscrowd": 0})
    with open(os.path.join(options.out, part + ".json"), "w", encoding="utf-8") as file:
        json.dump(document, file)
    print(f"{part}: {number} scenes, {len(document['annotations'])} objects in {len(document['images'])} of them")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out")
    parser.add_argument("--train", type=int, default=2000)
    parser.add_argument("--labelled", type=int, default=300)
    parser.add_argument("--test", type=int, default=200)
    parser.add_argument("--size", type=lambda text: tuple(map(int, text.split("x"))), default=(160, 120))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--one-class", action="store_true")
    parser.add_argument("--objects", type=int, default=0)
    options = parser.parse_args()
    pools, photos = stamps(), photographs()
    if not pools:
        sys.exit("there are no stamps: apt-get install tuxpaint-stamps-default")
    write_part(options, "train", options.train, options.labelled, pools, photos)
    write_part(options, "test", options.test, options.test, pools, photos)
    write_objects(options, pools, photos)
    with open(os.path.join(options.out, "classes.txt"), "w", encoding="utf-8") as file:
        file.writelines(name + "\n" for name in classes_of(options, pools))


if __name__ == "__main__":
    main()
