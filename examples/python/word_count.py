"""Counts words, and says what it does: tsprof record -- python3 word_count.py FILE..."""
import collections
import sys

import tsprof_marks as marks


@marks.function
def count(text):
    return collections.Counter(text.split())


total = collections.Counter()
for path in sys.argv[1:]:
    try:
        with marks.scope("file", f"path={path}"):
            with open(path, encoding="utf-8", errors="replace") as file:
                total += count(file.read())
            marks.counter("words", len(total))
    except OSError as error:
        print(error, file=sys.stderr)
marks.milestone("counted", f"words={len(total)}")
for word, n in total.most_common(3):
    print(n, word)
