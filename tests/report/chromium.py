"""A page in headless Chromium."""

import html
import json
import os
import re
import shutil
import subprocess

import program

BROWSER = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)


def need():
    if not BROWSER:
        raise program.Skip("there is no Chromium")


def look(path, probe, width=1200, dark=False):
    """What a probe, markup that runs behind the page's own script, writes as JSON into its element #probe. Nothing may
    be said on the console."""
    need()
    with open(path, encoding="utf-8") as file:
        page = file.read()
    path = os.path.join(os.path.dirname(path), "probe.html")
    with open(path, "w", encoding="utf-8") as file:
        file.write(page.replace("</body>", probe + "</body>"))
    command = [BROWSER, "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--window-size={width},900",
               "--virtual-time-budget=4000", f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom",
               "file://" + os.path.abspath(path).replace("&", "%26").replace("<", "%3C").replace(" ", "%20")]
    done = subprocess.run(command, capture_output=True, timeout=600, check=True)
    said = [line for line in done.stderr.decode(errors="replace").splitlines() if "CONSOLE" in line]
    assert not said, said
    text = re.search(r'<pre id="probe">(.*?)</pre>', done.stdout.decode(), re.S)
    assert text and text[1], "the page's script failed"
    return json.loads(html.unescape(text[1]))
