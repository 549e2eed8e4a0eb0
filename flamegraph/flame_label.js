/*
 * What of a function's name is shown in a box: the same rules as function_label.c,
 * which says why.  Put in front of flame.js, in one strict function.
 */
const MIN_COLUMNS = 3;
const WIDE = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u;
const NARROW = /[\u0300-\u036f\u200b-\u200f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f]/;

function columnsOf(text) {
	let columns = 0;

	if (/^[\x20-\x7e]*$/.test(text))
		return text.length;
	for (const c of text)
		columns += NARROW.test(c) ? 0 : WIDE.test(c) ? 2 : 1;
	return columns;
}

function closingBracket(name, at) {
	const open = name[at];
	const close = open === "<" ? ">" : ")";
	let depth = 0;

	for (; at < name.length; at++) {
		if (name[at] === open)
			depth++;
		else if (name[at] === close && name[at - 1] !== "-" && --depth === 0)
			return at;
	}
	return -1;
}

function endOfType(name, at, end) {
	let depth = 0;

	for (; at < end; at++) {
		if ("<([".includes(name[at]))
			depth++;
		else if (">)]".includes(name[at]) && name[at - 1] !== "-")
			depth = Math.max(depth - 1, 0);
		else if (!depth && name.startsWith(" as ", at))
			return at;
	}
	return end;
}

function shorten(name) {
	const operator = /operator(\(\)|[<>=-]*)/y;
	const turbofish = /::<(?!lambda|unnamed)/y;
	const bracket = /^<(?!lambda|unnamed)/.test(name) ? closingBracket(name, 0) : -1;
	const isType = bracket >= 0 && name.startsWith("::", bracket + 1);
	const typeEnd = isType ? endOfType(name, 1, bracket) : -1;
	const start = isType ? 1 : 0;
	let short = "";
	let isBalanced = true;
	let at = start;

	while (at < name.length) {
		let end = -1;

		if (at === typeEnd) {
			at = bracket + 1;
			continue;
		}
		operator.lastIndex = at;
		const skip = operator.exec(name);
		if (skip) {
			short += skip[0];
			at += skip[0].length;
			continue;
		}
		turbofish.lastIndex = at;
		if (isBalanced && turbofish.test(name)) {
			end = closingBracket(name, at + 2);
			isBalanced = end >= 0;
			at = isBalanced ? end + 1 : at;
			continue;
		}
		if (isBalanced && at > start && (name[at] === "<" || name[at] === "(") &&
		    !name.startsWith("(anonymous", at)) {
			end = closingBracket(name, at);
			isBalanced = end >= 0;
		}
		if (end < 0) {
			short += name[at++];
			continue;
		}
		const isList = name[at] === "(";
		if (!isList)
			short += "<\u2026>";
		at = end + 1;
		if (isList && name.startsWith(" const", at))
			at += " const".length;
	}
	return short;
}

function cut(text, columns) {
	let used = 1;
	let kept = "";

	for (const c of text) {
		used += columnsOf(c);
		if (used > columns)
			break;
		kept += c;
	}
	return kept + "\u2026";
}

function fit(name, columns) {
	if (columns < MIN_COLUMNS)
		return "";
	if (columnsOf(name) <= columns)
		return name;
	const short = shorten(name);
	if (columnsOf(short) <= columns)
		return short;
	let tail = null;
	for (let at = short.indexOf("::"); at >= 0; at = short.indexOf("::", at + 2)) {
		tail = short.slice(at);
		if (columnsOf(tail) + 1 <= columns)
			return "\u2026" + tail;
	}
	if (tail === null)
		return cut(short, columns);
	tail = tail.slice(2);
	return columnsOf(tail) <= columns ? tail : cut(tail, columns);
}
