#!/usr/bin/env python3
"""Writes what the nouns of Debian's wordnet-base mean as a table with the columns text, class and split:
wordnet.py >glosses.tsv

With --pairs the columns are sent0, the words that mean the same, sent1, what they mean, class and split. Classes are the
lexicographers' files, such as animal or food. A tenth is the test, by a hash of the words.
"""

import hashlib
import sys

NOUNS = "/usr/share/wordnet/data.noun"
# The numbers of the files of nouns, 03 to 28, in lexnames(5WN).
CLASSES = (
    "tops act animal artifact attribute body cognition communication event feeling food group location motive object "
    "person phenomenon plant possession process quantity relation shape state substance time"
).split()
TEST_SHARE = 0.1


def nouns():
    """Words, meaning and class of each."""
    with open(NOUNS, encoding="utf-8") as file:
        for line in file:
            if line.startswith("  "):
                continue
            fields, gloss = line.split(" | ", 1)
            fields = fields.split()
            count = int(fields[3], 16)
            words = [fields[4 + 2 * i].replace("_", " ") for i in range(count)]
            meaning = " ".join(gloss.split('; "', 1)[0].replace('"', " ").split())
            yield ", ".join(words), meaning, CLASSES[int(fields[1]) - 3]


def main():
    """Prints the table."""
    pairs = "--pairs" in sys.argv[1:]
    print("sent0\tsent1\tclass\tsplit" if pairs else "text\tclass\tsplit")
    for words, meaning, name in nouns():
        test = int(hashlib.sha1(words.encode()).hexdigest()[:8], 16) < TEST_SHARE * 2**32
        print(*([words] if pairs else []), meaning, name, "test" if test else "train", sep="\t")


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError:
        sys.exit(f"{NOUNS} is not there: apt-get install wordnet-base")
