"""report.html in headless Chromium: no error on the console, all parts drawn in both themes and on a phone, and
nothing from outside taken for markup. Skipped where there is no Chromium."""

import json
import os
import subprocess

import chromium
import program
from run_folder import HOSTILE, RunFolder

# Runs behind the page's own script; what it finds comes back as text in the page.
PROBE = """
<pre id="probe"></pre><script>addEventListener("load", () => setTimeout(() => {
const all = selector => [...document.querySelectorAll(selector)], found = {};
const key = (node, name) => node.dispatchEvent(new KeyboardEvent("keydown", {key: name, bubbles: true, cancelable: true}));
found.ready = document.documentElement.dataset.ready;
found.hacked = window.hacked === undefined ? "no" : "yes";
found.sections = all("section").map(s => s.id);
found.curves = all(".curve svg .trace").length;
found.tables = all("#evaluation table").length;
found.cells = all(".heat rect").length;
found.classes = all(".bars .name").map(n => n.textContent);
found.images = all("main img").length;
found.wide = document.documentElement.scrollWidth - innerWidth;
found.ground = getComputedStyle(document.body).backgroundColor;
found.points = all("canvas").map(c => { const p = c.getContext("2d").getImageData(0, 0, c.width, c.height).data; let n = 0;
    for (let i = 3; i < p.length; i += 4) n += p[i] > 0; return n; });
found.thumbs = all(".thumb").length;
found.costs = all("#cost tr").map(tr => [...tr.children].map(n => n.textContent));
found.texts = all(".texts > li").map(li => [...li.querySelectorAll("li")].map(n => n.textContent));
found.bars = all("#figures .bars").map(b => [...b.querySelectorAll(".tag")].map(n => n.textContent));
found.spreads = all("#figures .track b").length;
found.groups = all(".legend li").length;
const map = all("canvas")[0];
if (map) { key(map, "ArrowRight"); found.chosen = all(".chosen b").length === 1 && all(".chosen .thumb").length === 1; }
found.neighbours = all(".near .row").length;
const curve = all(".curve svg")[0], read = () => all(".readout").map(r => r.textContent);
found.readout = [read()[0]];
if (curve) key(curve, "Home");
found.readout.push(read()[0]);
found.moved = read().filter(r => r.startsWith("step ")).length;
const heat = all(".heat")[0];
if (heat) { key(heat, "ArrowDown"); found.tip = document.getElementById("tip").textContent; }
document.getElementById("theme").click();
found.switched = getComputedStyle(document.body).backgroundColor;
document.getElementById("probe").textContent = JSON.stringify(found);
}, 300));</script>
"""


def probe(folder, width=1200, dark=False):
    chromium.need()
    done = subprocess.run([program.PROGRAM, "report", folder], capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return chromium.look(os.path.join(folder, "report.html"), PROBE, width, dark)


def all_parts_are_drawn_and_follow_the_keyboard():
    with RunFolder() as r:
        found = probe(r.run)
        assert found["ready"] == "true" and found["hacked"] == "no", found
        assert found["sections"] == ["training", "evaluation", "classes", "cost", "configuration"], found
        assert found["curves"] == 8 and found["tables"] == 2 and found["cells"] == 16, found
        assert sorted(found["classes"]) == sorted(HOSTILE), found
        assert found["moved"] == found["curves"] and found["readout"][0] != found["readout"][1], found
        assert found["tip"].startswith(HOSTILE[0] + " recognised: 35 of"), found
        assert found["wide"] <= 0, found


def themes_differ_and_can_be_switched():
    with RunFolder() as r:
        light, dark = probe(r.run), probe(r.run, dark=True)
        assert light["ground"] == dark["switched"] and dark["ground"] == light["switched"] != light["ground"], (light, dark)


def a_phone_shows_all_without_scrolling_sideways():
    with RunFolder() as r:
        wide, narrow = probe(r.run), probe(r.run, width=400)
        assert narrow["wide"] <= 0, narrow
        for part in ("sections", "curves", "tables", "cells"):
            assert narrow[part] == wide[part], part


def runs_without_evaluation_or_steps_have_a_page():
    with RunFolder(evaluation_json=None, config_ini=None) as r:
        assert probe(r.run)["sections"] == ["training", "cost"]
    with RunFolder(evaluation_json=None, config_ini=None, metrics_jsonl="") as r:
        assert probe(r.run)["sections"] == []
    with RunFolder(metrics_jsonl='{"step": 1, "epoch": 1, "loss": 2}\n') as r:
        assert probe(r.run)["curves"] == 1


def the_cost_task_is_told_with_units():
    cost = {"parameters": 3456, "flops": 5.2e6, "embed_per_second": 812.4, "embed_joules": 0.0021, "device_megabytes": 25.2, "train_joules": None}
    found = [{"features": "encoder", "dim": 8, "seconds": 3.5, "cost": cost}]
    events = "".join(json.dumps({"event": "cost", "step": s, "seconds": 9, "device_megabytes": s, "joules": 1500}) + "\n" for s in (10, 30))
    with RunFolder(evaluation_json=json.dumps(found), metrics_jsonl='{"step": 30, "epoch": 1, "loss": 2}\n' + events) as r:
        told = dict(probe(r.run)["costs"])
        assert told["Parameters of the encoder"] == "3,456" and told["Arithmetic per sample"] == "5.2 MFLOP", told
        assert told["Training, energy"] == "3 kJ" and told["Training, memory of the device"] == "30 MB", told
        assert told["Embedding, samples a second"] == "812" and told["Embedding, energy per sample"] == "2.1 mJ", told


def equal_views_of_a_text_are_told_once():
    views = f"\t3 tokens\t{HOSTILE[1]}\nview 0\t3 tokens\ta b\nview 1\t2 tokens\ta\nview 2\t3 tokens\ta b\n\n\t2 tokens\t\nview 0\t2 tokens\t\n"
    with RunFolder(views_txt=views) as r:
        found = probe(r.run)
        assert found["texts"] == [["a b ×2", "a"], ["(empty)"]] and found["hacked"] == "no", found


def a_comparison_is_drawn_as_bars():
    def row(name, mean, deviation=None):
        figure = {"values": [mean], "mean": mean, **({} if deviation is None else {"deviation": deviation})}
        return {"name": name, "features": "encoder", "runs": ["a"], "figures": {"knn.accuracy": figure, "sts.spearman": figure}}
    columns = [{"figure": "knn.accuracy", "heading": "kNN accuracy", "percent": True}, {"figure": "sts.spearman", "heading": "STS", "percent": False}]
    rows = [row(HOSTILE[0], 0.7, 0.1), row(HOSTILE[1], 0.8, 0.1), row("low", -0.5, 0.01), row("one", 0.3)]
    difference = {"figure": "knn.accuracy", "highest": HOSTILE[1], "within the spread of it": [HOSTILE[0]], "below it": ["low"],
                  "of one run only, so that the spread is not known": ["one"]}
    found = {"columns": columns, "rows": rows, "differences": [difference]}
    with RunFolder(metrics_jsonl=None, config_ini=None, evaluation_json=None, compare_json=json.dumps(found)) as r:
        for width in (1200, 400):
            page = probe(r.run, width=width)
            assert page["sections"] == ["figures", "table", "runs"] and page["hacked"] == "no" and page["wide"] <= 0, page
            assert page["bars"] == [["highest", "within its spread", "spread not known", "below"], [""] * 4] and page["spreads"] == 6, page


def a_trained_run_has_a_map_with_pictures():
    """Without labels, too: colours are clusters then."""
    with program.Workplace() as w:
        w.train("--set", "training.epochs=1")
        found = probe(w.path("run"))
        assert found["sections"] == ["training", "views", "evaluation", "classes", "map", "neighbours", "extremes", "cost",
                                     "configuration"], found
        assert found["points"][0] > 500 and found["neighbours"] > 3 and found["thumbs"] > 50 and found["images"] == 1, found
        assert found["chosen"] and found["groups"] == 4, found
        w.run("train.ini", "--overwrite", "--set", "training.epochs=1", "--set", "data.train_labels=", "--set", "data.test_labels=")
        found = probe(w.path("run"), width=400)
        assert found["sections"] == ["training", "views", "map", "neighbours", "extremes", "cost", "configuration"], found
        assert found["groups"] == 10 and found["wide"] <= 0, found


program.main([
    all_parts_are_drawn_and_follow_the_keyboard,
    themes_differ_and_can_be_switched,
    a_phone_shows_all_without_scrolling_sideways,
    runs_without_evaluation_or_steps_have_a_page,
    the_cost_task_is_told_with_units,
    equal_views_of_a_text_are_told_once,
    a_comparison_is_drawn_as_bars,
    a_trained_run_has_a_map_with_pictures,
])
