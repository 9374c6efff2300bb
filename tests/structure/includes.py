"""Folders of src include each other in one direction only, and so do headers: what stands below can be read,
tested and changed without what stands above."""

import os
import re
import sys

SOURCE = sys.argv[1]


def includes():
    """Path below src -> the paths below src that it includes."""
    found = {}
    for folder, _, names in os.walk(SOURCE):
        for name in names:
            if name.endswith((".c", ".h", ".inc")):
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as file:
                    found[os.path.relpath(path, SOURCE)] = re.findall(r'^#include "([^"]+)"', file.read(), re.M)
    return {path: [other for other in others if other in found] for path, others in found.items()}


def circle(graph):
    """Nodes of one circle, the first again at its end; [] if there is none."""
    done, trail = set(), []

    def follow(node):
        if node in trail:
            return trail[trail.index(node) :] + [node]
        if node in done:
            return []
        trail.append(node)
        for other in sorted(graph.get(node, ())):
            found = follow(other)
            if found:
                return found
        done.add(trail.pop())
        return []

    return next((found for found in map(follow, sorted(graph)) if found), [])


def folders(files):
    graph = {}
    for path, others in files.items():
        folder = os.path.dirname(path)
        if folder:
            graph.setdefault(folder, set()).update(os.path.dirname(other) for other in others)
            graph[folder].discard(folder)
    return graph


def main():
    files = includes()
    assert circle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"], "a circle is not found"
    results = [
        ("there are sources to look at", [] if len(files) > 100 else [str(len(files)), "files only"]),
        ("folders include each other in one direction", circle(folders(files))),
        ("files include each other in one direction", circle(files)),
    ]
    print(f"1..{len(results)}")
    for number, (name, found) in enumerate(results, 1):
        print(f"{'not ok' if found else 'ok'} {number} - {name}")
        if found:
            print(f"# {' -> '.join(found)}")
    return any(found for _, found in results)


sys.exit(main())
