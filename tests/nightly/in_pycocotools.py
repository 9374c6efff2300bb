"""Average precision equals pycocotools' on random objects and detections: in_pycocotools.py TEST_GOLDEN, whose cases this
writes. Run by a Python that has pycocotools: CLC_COCO_PYTHON names it."""

import contextlib
import io
import json
import os
import struct
import subprocess
import sys
import tempfile

CASES = 40


def run_by_other_python():
    other = os.environ.pop("CLC_COCO_PYTHON", None)
    if other:
        sys.exit(subprocess.run([other, *sys.argv], check=False).returncode)


def draw(rng, case):
    """Objects and detections of one case: some near objects, some crowded, some of one score, many in one image."""
    import numpy as np

    images, classes = int(rng.integers(1, 8)), int(rng.integers(1, 6))
    n, m = int(rng.integers(1, 60)), int(rng.integers(0, 400))

    def boxes(count):
        return np.concatenate([rng.uniform(0, 80, (count, 2)), rng.uniform(2, 40, (count, 2))], 1).astype(np.float32)

    truth = {"boxes": boxes(n), "image": rng.integers(0, images, n), "class": rng.integers(0, classes, n),
             "crowd": (rng.random(n) < 0.15).astype(np.uint8)}
    near = rng.integers(0, n, m)
    moved = truth["boxes"][near] + rng.normal(0, 1 + case % 4, (m, 4)).astype(np.float32)
    moved[:, 2:] = np.maximum(moved[:, 2:], 1)
    far = rng.random(m) < 0.3
    found = {"boxes": np.where(far[:, None], boxes(m), moved).astype(np.float32),
             "image": np.where(far, rng.integers(0, images, m), truth["image"][near]),
             "class": np.where(far, rng.integers(0, classes, m), truth["class"][near]),
             "score": rng.random(m).astype(np.float32)}
    if case % 5 == 0:
        found["score"] = (np.round(found["score"] * 8) / 8).astype(np.float32)  # ties
    return images, classes, truth, found


def judge(images, classes, truth, found):
    """What pycocotools says: ap, ap50, ap75 and of each class."""
    import numpy as np
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def entry(i, s, extra):
        box = [float(v) for v in s["boxes"][i]]
        return {"id": i + 1, "image_id": int(s["image"][i]) + 1, "category_id": int(s["class"][i]) + 1, "bbox": box,
                "area": box[2] * box[3], **extra}

    ids = [{"id": i + 1} for i in range(images)]
    kinds = [{"id": i + 1, "name": str(i)} for i in range(classes)]
    with contextlib.redirect_stdout(io.StringIO()):
        gold, said = COCO(), COCO()
        gold.dataset = {"images": ids, "categories": kinds, "annotations": [
            entry(i, truth, {"iscrowd": int(truth["crowd"][i])}) for i in range(len(truth["boxes"]))]}
        said.dataset = {"images": ids, "categories": kinds, "annotations": [
            entry(i, found, {"iscrowd": 0, "score": float(found["score"][i])}) for i in range(len(found["boxes"]))]}
        gold.createIndex()
        said.createIndex()
        evaluation = COCOeval(gold, said, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # threshold, recall, class
    per_class = np.array([p.mean() if (p > -1).all() else np.nan for p in np.moveaxis(precision, 2, 0)])
    counted = ~np.isnan(per_class)
    if not counted.any():
        return np.nan, np.nan, np.nan, per_class
    return (per_class[counted].mean(), precision[0][:, counted].mean(), precision[5][:, counted].mean(), per_class)


def write(path, metadata, tensors):
    import numpy as np

    names = {"float32": "F32", "float64": "F64", "int64": "I64", "uint8": "U8"}
    header, data = {"__metadata__": metadata}, b""
    for name, array in sorted(tensors.items(), key=lambda item: -np.asarray(item[1]).itemsize):
        array = np.ascontiguousarray(array)
        raw = array.tobytes()
        header[name] = {"dtype": names[str(array.dtype)], "shape": list(np.shape(tensors[name])),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def write_case(path, case):
    import numpy as np

    images, classes, truth, found = draw(np.random.default_rng(case), case)
    ap, ap50, ap75, per_class = judge(images, classes, truth, found)
    write(path, {"kind": "metric", "name": "detection", "images": str(images), "classes": str(classes)},
          {"truth_boxes": truth["boxes"], "truth_image": truth["image"], "truth_class": truth["class"],
           "truth_crowd": truth["crowd"], "boxes": found["boxes"], "box_image": found["image"],
           "box_class": found["class"], "box_score": found["score"], "ap": np.float64(ap), "ap50": np.float64(ap50),
           "ap75": np.float64(ap75), "ap_per_class": per_class})


def main():
    run_by_other_python()
    print("1..1")
    try:
        import numpy, pycocotools  # pylint: disable=import-outside-toplevel,unused-import,multiple-imports
    except ImportError as missing:
        print(f"ok 1 - average_precision # SKIP {missing.name} is not there: CLC_COCO_PYTHON names a Python that has it")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        for case in range(CASES):
            write_case(os.path.join(folder, f"metric_{case:02}.safetensors"), case)
        environment = {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"}
        result = subprocess.run([sys.argv[1], folder], capture_output=True, text=True, check=False, env=environment)
    good = result.returncode == 0 and result.stdout.count("\nok ") == CASES
    print(f"{'ok' if good else 'not ok'} 1 - average_precision")
    for line in (result.stdout + result.stderr).splitlines() if not good else []:
        print("#", line)
    return not good


sys.exit(main())
