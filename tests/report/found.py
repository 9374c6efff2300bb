"""Pages of what was found in an index, in headless Chromium: pictures drawn in both themes and on a phone, names never
taken for markup. Skipped where there is no Chromium."""

import os

import chromium
import program

HOSTILE = "pictures/<img src=x onerror=hacked=1>&amp;.pgm"

PROBE = """
<pre id="probe"></pre><script>addEventListener("load", () => setTimeout(() => {
const all = selector => [...document.querySelectorAll(selector)], found = {};
found.ready = document.documentElement.dataset.ready;
found.hacked = window.hacked === undefined ? "no" : "yes";
found.wide = document.documentElement.scrollWidth - innerWidth;
found.groups = all("section").length;
found.titles = all("figure").map(f => f.title);
found.pictures = all("figure img").filter(i => i.complete && i.naturalWidth > 0).length;
found.marked = all(".marked").length;
found.columns = getComputedStyle(all(".wall")[0]).gridTemplateColumns.split(" ").length;
found.ground = getComputedStyle(document.body).backgroundColor;
document.getElementById("theme").click();
found.switched = getComputedStyle(document.body).backgroundColor;
document.getElementById("probe").textContent = JSON.stringify(found);
}, 300));</script>
"""

PLACE = program.Workplace()


def picture(path, seed):
    pixels = bytes((37 * seed * (x // 9) + 11 * (y // 7)) % 256 for y in range(60) for x in range(90))
    with open(PLACE.path(path), "wb") as file:
        file.write(b"P5 90 60 255\n" + pixels)


def make_index():
    chromium.need()
    if os.path.exists(PLACE.path("i.index")):
        return
    PLACE.train("--set", "training.epochs=1")
    os.makedirs(PLACE.path("pictures"))
    for i in range(9):
        picture(f"pictures/{i}.pgm", i)
    picture("pictures/copy.pgm", 8)
    with open(PLACE.path(HOSTILE), "wb") as file:
        file.write(program.read(PLACE.path("pictures/3.pgm")))
    PLACE.run("index", "run", "pictures", "--output", "i.index")


def look(*arguments, **keywords):
    make_index()
    PLACE.run(*arguments, "--html", "page.html")
    found = chromium.look(PLACE.path("page.html"), PROBE, **keywords)
    assert found["ready"] == "true" and found["hacked"] == "no" and found["wide"] <= 0, found
    return found


def results_stand_beside_what_was_asked():
    for width, columns in ((1200, 4), (400, 2)):
        found = look("search", "i.index", "pictures/3.pgm", "pictures/5.pgm", "-k", "4", width=width)
        assert found["groups"] == 2 and len(found["titles"]) == found["pictures"] == 10, found
        assert found["titles"][0] == "pictures/3.pgm" and HOSTILE in found["titles"][1:3], found
        assert found["columns"] >= columns, found


def all_commands_have_a_page():
    found = look("dedup", "i.index", "--threshold", "0.999999")
    assert found["groups"] == found["marked"] >= 2 and found["pictures"] == len(found["titles"]), found
    found = look("dedup", "i.index", "--against", "i.index", "--threshold", "0.999999")
    assert found["groups"] == 11 and found["pictures"] == 22, found
    for command in (["outliers", "i.index", "-n", "5", "-k", "2"], ["select", "i.index", "-n", "5"],
                    ["select", "i.index", "-n", "5", "--by", "typical", "-k", "2"]):  # fmt: skip
        assert look(*command, width=400)["pictures"] == 5


def themes_differ_and_can_be_switched():
    light, dark = (look("outliers", "i.index", dark=dark) for dark in (False, True))
    assert light["ground"] == dark["switched"] and dark["ground"] == light["switched"] != light["ground"], (light, dark)


with PLACE:
    program.main([results_stand_beside_what_was_asked, all_commands_have_a_page, themes_differ_and_can_be_switched])
