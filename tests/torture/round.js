// One round of work for torture.sh: the same in two threads.
const crypto = require("crypto");
const { Worker, isMainThread, parentPort } = require("worker_threads");

function work() {
	const words = [];

	for (let n = 0; n < 200000; n++)
		words.push((n * 7919 % 1000003).toString(16));
	words.sort();
	return crypto.createHash("sha256").update(JSON.stringify(words)).digest("hex");
}

if (isMainThread)
	new Worker(__filename).on("message", (text) => console.log(work(), text));
else
	parentPort.postMessage(work());
