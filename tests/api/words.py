"""The manual page and the completions are without a complaint of what reads them.

    words.py PROGRAM
"""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from program import INVALID, Skip, Workplace, main  # noqa: E402  pylint: disable=wrong-import-position

PLACE = Workplace(images=4)

TRY = """
compopt() { :; }
offer() { COMP_WORDS=(clcontrast "$@"); COMP_CWORD=$#; COMPREPLY=(); _clcontrast; echo "${COMPREPLY[@]}"; }
offer ev; offer eval --ta; offer eval --tasks kn; offer --set training.bat; offer eval train.i
"""


def filtered(command, text):
    if not shutil.which(command[0]):
        raise Skip("there is no " + command[0])
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=PLACE.folder)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def the_manual_page_is_clean_and_whole():
    page = filtered(["groff", "-man", "-Tutf8", "-ww", "-P-cbou"], PLACE.run("manual")[0])
    for word in ("eval RUN|ENCODER", "--set S.KEY=VALUE", "knn", "[training]", "EXIT STATUS"):
        assert word in page, word


def bash_completes_commands_options_tasks_keys_and_files():
    said = filtered(["bash"], PLACE.run("completion", "bash")[0] + TRY)
    assert said.split("\n")[:5] == ["eval", "--tasks", "knn", "training.batch=", "train.ini"], said


def zsh_reads_its_completion():
    filtered(["zsh", "-n"], PLACE.run("completion", "zsh")[0])


def fish_completes_commands_and_tasks():
    script = PLACE.run("completion", "fish")[0] + "\ncomplete -C 'clcontrast ev'\ncomplete -C 'clcontrast eval --tasks kn'\n"
    said = filtered(["fish", "--no-config"], script)
    assert [line.split("\t")[0] for line in said.splitlines()] == ["eval", "knn"], said


def another_shell_is_refused():
    PLACE.refused("completion", "csh", status=INVALID, says=["csh", "bash"])


with PLACE:
    main([the_manual_page_is_clean_and_whole, bash_completes_commands_options_tasks_keys_and_files, zsh_reads_its_completion,
          fish_completes_commands_and_tasks, another_shell_is_refused])
