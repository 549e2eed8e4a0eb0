# One round of work for torture.sh: threads, JSON, regular expressions, a child.
import hashlib
import json
import re
import subprocess
import threading


def work(results, i):
    words = ["%x" % (n * 7919 % 1000003) for n in range(60000)]
    found = re.findall("[0-9]+[a-f]", json.dumps(sorted(words)))
    results[i] = hashlib.sha256("".join(found).encode()).hexdigest()


results = {}
threads = [threading.Thread(target=work, args=(results, i)) for i in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results.items()), subprocess.run(["sh", "-c", "exit 5"]).returncode)
