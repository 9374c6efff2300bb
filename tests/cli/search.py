"""An index of pictures or texts, kept up to date, and what in it is like a query."""

import json
import math
import os
import random
import re
import signal
import struct
import time

from program import FORMAT, INTERRUPTED, INVALID, IO, Skip, Workplace, main, read

PLACE = Workplace()
PLACE.train("--set", "training.epochs=1")


def pgm(seed, side=24):
    """A bright blob at one of four places, and noise."""
    rng = random.Random(seed)
    y0, x0 = side // 2 * (seed // 2 % 2), side // 2 * (seed % 2)
    pixels = [rng.randrange(60) + (180 if y0 <= y < y0 + side // 2 and x0 <= x < x0 + side // 2 else 0)
              for y in range(side) for x in range(side)]
    return b"P5 %d %d 255\n" % (side, side) + bytes(pixels)


def write(path, data):
    os.makedirs(os.path.dirname(PLACE.path(path)), exist_ok=True)
    with open(PLACE.path(path), "wb") as file:
        file.write(data)


def index(*arguments, **keywords):
    return PLACE.run("index", "run/encoder.safetensors", *arguments, "--output", "i.index", **keywords)[1]


def search(*arguments, **keywords):
    return PLACE.run("search", "i.index", *arguments, **keywords)[0]


def a_picture_finds_itself_first_and_then_its_kind():
    for i in range(20):
        write(f"pictures/{i:02d}.pgm", pgm(i))
    assert "20 images, 20 of them embedded now" in index("pictures")
    rows = [line.split("\t") for line in search("pictures/07.pgm", "-k", "5").splitlines()]
    assert len(rows) == 5 and rows[0] == ["1.0000", "pictures/07.pgm"], rows
    assert [float(row[0]) for row in rows] == sorted((float(row[0]) for row in rows), reverse=True)
    kind = [int(row[1][9:11]) % 4 for row in rows]
    assert kind.count(3) >= 4, rows


def only_new_and_changed_files_are_embedded_and_gone_ones_leave():
    before = read(PLACE.path("i.index"))
    assert "0 of them embedded now, 20 as they were" in index("pictures")
    assert read(PLACE.path("i.index")) == before
    write("pictures/00.pgm", pgm(100, 26))
    write("pictures/20.pgm", pgm(20))
    os.remove(PLACE.path("pictures/01.pgm"))
    said = index("pictures")
    assert "20 images, 2 of them embedded now, 18 as they were; 2 that were in it" in said, said
    assert "01.pgm" not in search("pictures/00.pgm", "-k", "100")


def a_broken_picture_is_left_out_and_listed():
    write("pictures/bad.pgm", pgm(3)[:100])
    assert "1 files are left out" in index("pictures")
    assert b"bad.pgm\t" in read(PLACE.path("i.index.skipped.txt"))
    os.remove(PLACE.path("pictures/bad.pgm"))
    index("pictures")
    assert not os.path.exists(PLACE.path("i.index.skipped.txt"))


def json_has_queries_and_results():
    found = json.loads(search("pictures/05.pgm", "pictures/06.pgm", "-k", "2", "--json"))
    assert [one["query"] for one in found] == ["pictures/05.pgm", "pictures/06.pgm"]
    assert found[1]["results"][0]["name"] == "pictures/06.pgm"
    assert abs(found[1]["results"][0]["similarity"] - 1) < 1e-5  # a length of 1 in float32


def a_torn_index_is_refused_by_search_and_made_anew_by_index():
    whole = read(PLACE.path("i.index"))
    for torn in (whole[:-40], whole[:-5] + b"x" + whole[-4:], b""):
        write("i.index", torn)
        PLACE.refused("search", "i.index", "pictures/05.pgm", status=FORMAT, says=["i.index"])
        assert "made anew" in index("pictures")
        assert read(PLACE.path("i.index")) == whole


def another_file_is_not_overwritten():
    content = b"something precious that is no index at all"
    write("notes", content)
    PLACE.refused("index", "run", "pictures", "--output", "notes", status=INVALID, says=["notes", "--output"])
    assert read(PLACE.path("notes")) == content


def other_weights_are_noticed():
    PLACE.train("--set", "training.seed=2", "--set", "output.folder=run2", "--set", "training.epochs=1")
    PLACE.refused("search", "i.index", "pictures/05.pgm", "--encoder", "run2", status=INVALID, says=["other weights"])
    said = PLACE.run("index", "run2", "pictures", "--output", "i.index")[1]
    assert "embedded anew" in said and "20 of them embedded now" in said, said
    os.rename(PLACE.path("run2"), PLACE.path("moved"))
    PLACE.refused("search", "i.index", "pictures/05.pgm", status=IO, says=["--encoder", "run2"])
    assert search("pictures/05.pgm", "--encoder", "moved", "-k", "1") == "1.0000\tpictures/05.pgm\n"


def curate(*arguments):
    return [line.split("\t") for line in PLACE.run(*arguments)[0].splitlines()]


def near_duplicates_are_grouped_with_the_best_copy_first():
    """Blobs at four places are four groups; copies at other sizes belong to them."""
    for i in range(4):
        write(f"groups/{i}.pgm", pgm(i))
        write(f"groups/{i}_large.pgm", pgm(i, 48))
        write(f"groups/{i}_same.pgm", pgm(i))
    PLACE.run("index", "moved", "groups", "--output", "g.index")
    rows = curate("dedup", "g.index", "--threshold", "0.99999")
    same = [row for row in rows if row[5].endswith(("0.pgm", "0_same.pgm"))]
    assert [row[1:] for row in same] == [["keep", "1.0000", "24x24", "589", "groups/0.pgm"],
                                         ["copy", "1.0000", "24x24", "589", "groups/0_same.pgm"]], rows
    rows = curate("dedup", "g.index", "--threshold", "0")
    assert len(rows) == 12 and rows[0][1] == "keep" and rows[0][3] == "48x48" and rows[0][4] == "2317", rows
    assert len(os.listdir(PLACE.path("groups"))) == 12


def page_of(*arguments):
    """The data of the page that a command writes beside its list, which it checks to load nothing."""
    PLACE.run(*arguments, "--html", "page.html")
    page = read(PLACE.path("page.html")).decode()
    assert len(page) < 4_000_000 and "default-src 'none'" in page and page.count("</script>") == 2
    assert not re.search(r'(src|href)="(?!data:|#)', page)
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1])


def pages_show_what_the_lists_say():
    found = page_of("search", "g.index", "groups/1.pgm", "--encoder", "moved", "-k", "3")
    (group,) = found["groups"]
    assert group["heading"] == group["query"]["name"] == "groups/1.pgm" and found["notes"] == []
    assert len(group["samples"]) == 3 and group["samples"][0]["value"] > 0.9999
    assert all(s["picture"].startswith("data:image/jpeg;base64,") for s in [group["query"], *group["samples"]])
    groups = page_of("dedup", "g.index", "--threshold", "0.99999")["groups"]
    assert groups and all(g["samples"][0]["mark"] and g["samples"][1]["note"].startswith("copy, ") for g in groups), groups
    assert len(page_of("outliers", "g.index", "-n", "2")["groups"][0]["samples"]) == 2
    assert len(page_of("dedup", "g.index", "--against", "g.index", "--threshold", "0.99999")["groups"]) == 12
    os.rename(PLACE.path("groups/1.pgm"), PLACE.path("groups/moved.pgm"))
    found = page_of("select", "g.index", "-n", "12")
    os.rename(PLACE.path("groups/moved.pgm"), PLACE.path("groups/1.pgm"))
    assert [s["name"] for s in found["groups"][0]["samples"] if "picture" not in s] == ["groups/1.pgm"]
    assert "1 pictures can't be read" in found["notes"][0], found["notes"]


def a_leak_between_two_sets_is_named():
    write("clean/other.pgm", pgm(2, 30))
    write("clean/copied.pgm", pgm(1))
    PLACE.run("index", "moved", "clean", "--output", "c.index")
    rows = curate("dedup", "c.index", "--against", "g.index", "--threshold", "0.99999")
    assert rows == [["1.0000", "groups/1.pgm", "clean/copied.pgm"]], rows
    PLACE.refused("dedup", "c.index", "--against", "i.index", "--threshold", "2", status=INVALID, says=["--threshold"])


def a_selection_is_diverse_and_outliers_are_far():
    rows = curate("select", "g.index", "-n", "4")
    assert sorted(int(row[1][7]) for row in rows) == [0, 1, 2, 3], rows
    rows = curate("select", "g.index", "-n", "50")
    assert len({row[1] for row in rows}) == 12, rows
    write("groups/white.pgm", b"P5 24 24 255\n" + bytes([0, 255] * 288))
    PLACE.run("index", "moved", "groups", "--output", "g.index")
    assert curate("outliers", "g.index", "-n", "1", "-k", "2")[0][1] == "groups/white.pgm"


def tensors_of(path):
    """Of a safetensors file, numbers in a flat list."""
    data = read(PLACE.path(path))
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    values = lambda t: struct.unpack(f"<{(t['data_offsets'][1] - t['data_offsets'][0]) // 4}f", data[end + t["data_offsets"][0] : end + t["data_offsets"][1]])
    return {name: values(t) for name, t in header.items() if name != "__metadata__" and t["dtype"] == "F32"}


def typical_and_doubtful_ones_are_selected():
    rows = curate("select", "g.index", "-n", "4", "--by", "typical", "-k", "2")
    assert len({row[1] for row in rows}) == 4 and all(float(row[0]) > 0 for row in rows), rows
    PLACE.refused("select", "g.index", "--by", "margin", "--encoder", "moved", status=INVALID, says=["classifier", "finetune"])
    PLACE.refused("select", "g.index", "--by", "size", status=INVALID, says=["size", "typical"])
    PLACE.train("--set", "method.name=supervised", "--set", "output.folder=sup", "--set", "training.epochs=1")
    PLACE.run("index", "sup", "groups", "--output", "s.index")
    index, weights = tensors_of("s.index"), tensors_of("sup/encoder.safetensors")
    dim, classes = len(index["features"]) // len(index["lengths"]), len(weights["fc.bias"])
    doubts = []
    for i, length in enumerate(index["lengths"]):
        x = [length * v for v in index["features"][i * dim : (i + 1) * dim]]
        scores = [weights["fc.bias"][c] + sum(a * b for a, b in zip(x, weights["fc.weight"][c * dim : (c + 1) * dim])) for c in range(classes)]
        p = sorted((math.exp(s) for s in scores), reverse=True)
        p = [v / sum(p) for v in p]
        doubts.append((-sum(v * math.log(v) for v in p), p[0] - p[1]))
    for column, by in enumerate(("entropy", "margin")):
        got = [float(row[0]) for row in curate("select", "s.index", "-n", "5", "--by", by)]
        want = sorted((d[column] for d in doubts), reverse=by == "entropy")[:5]
        assert all(abs(g - w) < 2e-4 for g, w in zip(got, want)), (by, got, want)


def wrong_queries_say_so():
    PLACE.refused("search", "i.index", "absent.pgm", "--encoder", "moved", status=IO, says=["absent.pgm"])
    PLACE.refused("search", "i.index", "", "--encoder", "moved", status=INVALID, says=["empty"])
    PLACE.refused("search", "train.ini", "absent.pgm", status=FORMAT, says=["train.ini"])
    PLACE.refused("search", "i.index", "pictures/05.pgm", "-k", "0", status=INVALID, says=["0"])


def interrupted_it_keeps_what_is_done():
    write("many/0.pgm", b"P5 1600 1600 255\n" + bytes(range(256)) * 10000)  # takes milliseconds to read
    for i in range(1, 1000):
        os.link(PLACE.path("many/0.pgm"), PLACE.path(f"many/{i}.pgm"))
    # The moment when it embeds is not known: later ones are tried until one is.
    for delay in (0.2, 0.3, 0.4, 0.6, 1, 1.5, 2, 3, 4):
        process = PLACE.start("index", "moved", "many", "--output", "many.index")
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=600)[1]
        if process.returncode == 0:
            raise Skip("1000 pictures are embedded too soon to interrupt that")
        if os.path.exists(PLACE.path("many.index")):
            break
    else:
        raise Skip("nothing was embedded within 4 s")
    assert process.returncode == INTERRUPTED and "the same command goes on" in err, err
    said = PLACE.run("index", "moved", "many", "--output", "many.index")[1]
    assert "1000 images" in said and " 1000 of them embedded now" not in said, said


with PLACE:
    main([a_picture_finds_itself_first_and_then_its_kind, only_new_and_changed_files_are_embedded_and_gone_ones_leave,
          a_broken_picture_is_left_out_and_listed, json_has_queries_and_results,
          a_torn_index_is_refused_by_search_and_made_anew_by_index, another_file_is_not_overwritten,
          other_weights_are_noticed,
          near_duplicates_are_grouped_with_the_best_copy_first, pages_show_what_the_lists_say, a_leak_between_two_sets_is_named,
          a_selection_is_diverse_and_outliers_are_far, typical_and_doubtful_ones_are_selected, wrong_queries_say_so, interrupted_it_keeps_what_is_done])
