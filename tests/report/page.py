"""`clcontrast report`: what stands in report.html, without a browser."""

import json
import re
import subprocess

import program
from run_folder import HOSTILE, STEPS, RunFolder


def report(folder, status=program.OK):
    done = subprocess.run([program.PROGRAM, "report", folder], capture_output=True, text=True, timeout=600)
    assert done.returncode == status, done.stderr
    return done.stderr


def data_of(page):
    found = re.findall(rb'<script type="application/json" id="data">(.*?)</script>', page, re.S)
    assert len(found) == 1
    return json.loads(found[0])


def a_page_holds_the_run_and_loads_nothing():
    with RunFolder() as r:
        report(r.run)
        page, data = r.page(), data_of(r.page())
        assert len(page) < 3_000_000 and page.count(b"</script>") == 2 and b"<b>bold" not in page
        assert not re.search(rb'(src|href)="(?!data:|#)', page) and not re.search(rb"url\((?!\"\$\{data)", page)
        assert b"default-src 'none'" in page
        assert data["run"]["name"] == "run <b>&amp;" and data["run"]["method"] == "simclr"
        assert data["row_count"] == STEPS and len(data["rows"]["step"]) == 600
        assert data["rows"]["step"][-1] == STEPS and data["rows"]["low"]["loss"][0] <= data["rows"]["loss"][0]
        assert data["evaluation"][2]["classes"] == HOSTILE
        assert "/data/\ufffd\ufffd</script>" in data["config"]
        assert data["versions"]["device"] == "<b>cpu</b>"


def what_is_missing_or_broken_leaves_the_rest():
    with RunFolder(evaluation_json=None, config_ini=None) as r:
        report(r.run)
        data = data_of(r.page())
        assert "evaluation" not in data and "config" not in data and data["row_count"] == STEPS
    with RunFolder(evaluation_json='[{"features": "enc') as r:
        assert "evaluation.json can't be read: line 1" in report(r.run)
        assert "line 1" in data_of(r.page())["evaluation_error"]


def a_folder_without_a_run_is_refused():
    with RunFolder(metrics_jsonl=None, evaluation_json=None) as r:
        assert "is no folder of a run" in report(r.run, program.IO)


def an_evaluation_without_training_has_a_page():
    with RunFolder(metrics_jsonl=None, config_ini=None) as r:
        report(r.run)
        data = data_of(r.page())
        assert data["rows"]["step"] == [] and len(data["evaluation"]) == 3


def a_matrix_of_a_thousand_classes_is_left_out():
    large = [{"features": "encoder", "dim": 8, "knn": {"accuracy": 0.5, "confusion": [[0] * 101] * 101}}]
    with RunFolder(evaluation_json=json.dumps(large)) as r:
        report(r.run)
        assert data_of(r.page())["evaluation"] == [{"features": "encoder", "dim": 8, "knn": {"accuracy": 0.5}}]


def a_page_stays_below_three_megabytes():
    with RunFolder(views_jpg=bytes(2_400_000)) as r:
        assert "without views" in report(r.run)
        assert len(r.page()) < 3_000_000 and "views" not in data_of(r.page())["images"]


def a_comparison_has_a_page():
    row = {"name": HOSTILE[0], "features": "encoder", "runs": ["a", "b"],
           "figures": {"knn.accuracy": {"values": [0.5, 0.7], "mean": 0.6, "deviation": 0.1}}}
    found = {"columns": [{"figure": "knn.accuracy", "heading": "kNN accuracy", "percent": True}], "rows": [row], "differences": []}
    with RunFolder(metrics_jsonl=None, config_ini=None, evaluation_json=None, compare_json=json.dumps(found)) as r:
        report(r.run)
        assert data_of(r.page())["comparison"] == found
    with RunFolder(metrics_jsonl=None, config_ini=None, evaluation_json=None, compare_json="{") as r:
        assert "compare.json can't be read" in report(r.run)
        assert "line 1" in data_of(r.page())["comparison_error"]
    with RunFolder(compare_json=json.dumps(found)) as r:
        report(r.run)
        assert "comparison" not in data_of(r.page()), "a run's page is of the run"


def pictures_are_those_of_samples_that_lists_show():
    with program.Workplace() as w:
        program.write_images(w.path("test-images"), 2300, 2, w.path("test-labels"))
        w.train("--set", "training.epochs=1", "--set", "evaluation.tasks=knn", "--set", "evaluation.map=2200", "--set", "evaluation.map_perplexity=0")
        samples = json.loads(program.read(w.path("run/samples.json")))
        there = samples["sheet"]["samples"]
        assert len(samples["names"]) == 2200 and samples["sheet"]["count"] == len(there) == len(set(there)) == 2000
        assert max(there) > 2150 and min(there) < 50, "others are of all parts of the set"
        shown = {i for i, *_ in samples["typical"] + samples["hardest"]}
        for query, near, _, _ in samples["neighbours"]:
            shown |= {query, *near}
        assert len(shown) > 100 and shown <= set(there) and there[: len(shown)] == sorted(shown)


def watch_shows_a_run_that_has_ended():
    with RunFolder() as r:
        for arguments in (["--once"], []):
            done = subprocess.run([program.PROGRAM, "watch", r.run, *arguments], capture_output=True, text=True, timeout=600)
            assert done.returncode == program.OK, done.stderr
            assert f"step {STEPS}" in done.stdout and "effective rank" in done.stdout and "\033" not in done.stdout


program.main([
    a_page_holds_the_run_and_loads_nothing,
    what_is_missing_or_broken_leaves_the_rest,
    a_folder_without_a_run_is_refused,
    an_evaluation_without_training_has_a_page,
    a_matrix_of_a_thousand_classes_is_left_out,
    a_page_stays_below_three_megabytes,
    a_comparison_has_a_page,
    pictures_are_those_of_samples_that_lists_show,
    watch_shows_a_run_that_has_ended,
])
