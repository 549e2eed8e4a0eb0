/*
 * The flame graph's interaction: zoom, search, details, keyboard, address.
 *
 * Boxes arrive drawn; data-x and data-w are their exact extent in samples or
 * nanoseconds, in preorder, so parents and depths follow from the intervals.
 * Names are only ever read and written as text.  State lives in the address,
 * "#x=START&y=DEPTH&s=PATTERN", so that a link shows what its sender saw;
 * "?x=..." is understood too.
 *
 * It stands in one strict function, behind flame_label.js (flame_svg.c).
 */
const SVG = "http://www.w3.org/2000/svg";
const XHTML = "http://www.w3.org/1999/xhtml";
const MARGIN = 10;
const INSET = 3;
const THIN = 3;
const MIN_WIDTH = 300;

const script = document.currentScript;
const root = (script && script.ownerSVGElement) || document.documentElement;
const find = (id) => root.querySelector("#" + id);
const area = find("frames");
const details = find("details");
const matched = find("matched");
const controls = find("controls");
const status = find("status");
const searchButton = find("search");
const unzoomButton = find("unzoom");
const frames = readFrames();
const byElement = new Map(frames.map((frame) => [frame.element, frame]));
const all = frames[0];

let zoomed = all;
let pattern = "";
let inner = 0; /* width of the area in pixels */
let characterWidth = 6.7;
let searchField = null;

function readFrames() {
	const found = [];
	const open = [];

	for (const element of area.querySelectorAll(".box")) {
		const x = Number(element.dataset.x);
		const width = Number(element.dataset.w);

		while (open.length && open[open.length - 1].end <= x)
			open.pop();
		const [title, rect, text] = element.children;
		const lines = title.textContent.split("\n");
		const frame = {
			element: element,
			rect: rect,
			text: text || null,
			name: lines[0],
			lines: lines,
			x: x,
			end: x + width,
			width: width,
			depth: open.length,
			parent: open.length ? open[open.length - 1] : null,
			index: found.length,
			isMatch: false,
		};
		found.push(frame);
		open.push(frame);
	}
	return found;
}

/* Drawing. */

function percent(part) {
	return (100 * part).toFixed(4) + "%";
}

function drawLabel(frame, x, width) {
	const columns = Math.floor((width * inner - 2 * INSET) / characterWidth);
	const label = fit(frame.name, columns);

	if (!label && !frame.text)
		return;
	if (!frame.text) {
		const top = Number(frame.rect.getAttribute("y"));
		const height = Number(frame.rect.getAttribute("height")) + 1;

		frame.text = document.createElementNS(SVG, "text");
		frame.text.setAttribute("dx", INSET);
		frame.text.setAttribute("y", top + Math.floor((height + 7) / 2));
		frame.element.append(frame.text);
	}
	frame.text.setAttribute("x", percent(x));
	if (frame.text.textContent !== label)
		frame.text.textContent = label;
}

function draw() {
	for (const frame of frames) {
		const isAbove = frame.depth < zoomed.depth && frame.x <= zoomed.x &&
			frame.end >= zoomed.end;
		const isInside = frame.depth >= zoomed.depth && frame.x >= zoomed.x &&
			frame.end <= zoomed.end;
		const x = isAbove ? 0 : (frame.x - zoomed.x) / zoomed.width;
		const width = isAbove ? 1 : frame.width / zoomed.width;

		frame.element.classList.toggle("parent", isAbove);
		frame.element.classList.toggle("hidden", !isAbove && !isInside);
		if (!isAbove && !isInside)
			continue;
		frame.rect.setAttribute("x", percent(x));
		frame.rect.setAttribute("width", percent(width));
		frame.rect.classList.toggle("thin", width * inner < THIN);
		drawLabel(frame, x, width);
	}
	unzoomButton.classList.toggle("hidden", zoomed === all);
}

/* The width of a character in the font that the browser found. */
function measure() {
	const probe = document.createElementNS(SVG, "text");

	probe.textContent = "0".repeat(100);
	probe.setAttribute("visibility", "hidden");
	root.append(probe);
	characterWidth = probe.getComputedTextLength() / 100 || characterWidth;
	probe.remove();
}

/* Take the window's width, or keep the one that was asked for; has it changed? */
function fitWidth() {
	let width = root.viewBox.baseVal ? root.viewBox.baseVal.width : 0;

	if (!("fixed" in root.dataset)) {
		root.removeAttribute("viewBox");
		root.setAttribute("width", "100%");
		width = Math.max(MIN_WIDTH, root.getBoundingClientRect().width || width);
	}
	if (width - 2 * MARGIN === inner)
		return false;
	inner = width - 2 * MARGIN;
	area.setAttribute("width", inner);
	return true;
}

/* In a picture taller than the window, buttons and details stay in sight. */
function follow() {
	const top = root.getBoundingClientRect().top;
	const strip = status.querySelector("rect");
	const statusEnd = Number(strip.getAttribute("y")) + Number(strip.getAttribute("height"));
	const down = Math.max(0, -top);
	const up = Math.max(0, top + statusEnd - window.innerHeight);

	controls.setAttribute("transform", "translate(0 " + down + ")");
	controls.querySelector("rect").classList.toggle("hidden", down === 0);
	status.setAttribute("transform", "translate(0 " + -up + ")");
}

function onResize() {
	if (fitWidth()) {
		draw();
		showDetails(null);
		placeSearchField();
	}
	follow();
}

function showDetails(frame) {
	const about = frame || (zoomed === all ? null : zoomed);
	const room = Math.floor(inner / characterWidth) - columnsOf(matched.textContent) - 2;

	if (!about) {
		details.textContent = " ";
		return;
	}
	const values = about.lines.slice(1).join(" \u00b7 ");
	details.textContent =
		fit(about.name, Math.max(12, room - columnsOf(values) - 3)) + " \u00b7 " + values;
}

/* Zoom. */

function zoom(frame) {
	zoomed = frame;
	draw();
	search(pattern);
	showDetails(null);
	keepState();
}

/* Search. */

function compile(text) {
	try {
		return new RegExp(text, text === text.toLowerCase() ? "iu" : "u");
	} catch (_) {
		return null;
	}
}

/* The part of `base` under matches in it and above; a match on a match counts once. */
function coverage(base) {
	let covered = base.x;
	let sum = 0;

	for (const frame of frames) {
		const from = Math.max(frame.x, covered);

		if (!frame.isMatch || frame.depth < base.depth || frame.end <= from ||
		    frame.end > base.end)
			continue;
		sum += frame.end - from;
		covered = frame.end;
	}
	return sum / base.width;
}

function share(part) {
	return (100 * part).toFixed(1) + "%";
}

function search(text) {
	const expression = text ? compile(text) : null;

	pattern = text;
	for (const frame of frames) {
		frame.isMatch = Boolean(expression) && expression.test(frame.name);
		frame.element.classList.toggle("match", frame.isMatch);
	}
	matched.classList.toggle("bad", Boolean(text) && !expression);
	if (!text)
		matched.textContent = "";
	else if (!expression)
		matched.textContent = "Not a regular expression";
	else
		matched.textContent = "Matched: " + share(coverage(all)) +
			(zoomed === all ? "" :
				", here: " + share(coverage(zoomed)));
	searchButton.textContent = text ? "Clear search" : "Search";
}

function clearSearch() {
	closeSearchField();
	search("");
	keepState();
}

function placeSearchField() {
	if (searchField)
		searchField.parentNode.setAttribute("x", Math.max(MARGIN, inner + MARGIN - 260));
}

function openSearchField() {
	if (!searchField) {
		const holder = document.createElementNS(SVG, "foreignObject");

		holder.setAttribute("y", 8);
		holder.setAttribute("width", 260);
		holder.setAttribute("height", 24);
		searchField = document.createElementNS(XHTML, "input");
		searchField.id = "searchbox";
		searchField.type = "text";
		searchField.placeholder = "regular expression";
		searchField.setAttribute("aria-label", "Search");
		searchField.spellcheck = false;
		searchField.addEventListener("input", () => {
			search(searchField.value);
			keepState();
		});
		holder.append(searchField);
		controls.append(holder);
		searchButton.classList.add("hidden");
		placeSearchField();
	}
	searchField.value = pattern;
	searchField.focus();
	searchField.select();
}

function closeSearchField() {
	if (searchField)
		searchField.parentNode.remove();
	searchField = null;
	searchButton.classList.remove("hidden");
}

/* The address. */

function keepState() {
	const state = new URLSearchParams();

	if (zoomed !== all) {
		state.set("x", zoomed.x);
		state.set("y", zoomed.depth);
	}
	if (pattern)
		state.set("s", pattern);
	try {
		const text = state.toString();

		history.replaceState(null, "", text ? "#" + text : location.pathname);
	} catch (_) {
		/* A data: or blob: address cannot be rewritten; all else works. */
	}
}

function readState() {
	const state = new URLSearchParams(location.hash.slice(1) || location.search);
	const x = Number(state.get("x"));
	const depth = Number(state.get("y"));

	zoomed = (state.has("x") && frames.find((frame) =>
		frame.depth === depth && frame.x === x)) || all;
	draw();
	search(state.get("s") || "");
	showDetails(null);
}

/* The keyboard: arrows walk through the boxes that are shown. */

function isShown(frame) {
	return frame && !frame.element.classList.contains("hidden");
}

function sibling(frame, step) {
	for (let i = frame.index + step; i >= 0 && i < frames.length; i += step)
		if (frames[i].depth === frame.depth && isShown(frames[i]))
			return frames[i];
	return null;
}

function widestChild(frame) {
	let widest = null;

	for (let i = frame.index + 1; i < frames.length && frames[i].x < frame.end; i++)
		if (frames[i].parent === frame && isShown(frames[i]) &&
		    (!widest || frames[i].width > widest.width))
			widest = frames[i];
	return widest;
}

function focusOn(frame) {
	if (!frame)
		return;
	for (const old of area.querySelectorAll("[tabindex]"))
		old.removeAttribute("tabindex");
	frame.element.setAttribute("tabindex", "0");
	frame.element.focus();
}

function walk(frame, key) {
	const isInverted = all.rect.getAttribute("y") === "0";

	if (key === "ArrowLeft")
		return sibling(frame, -1);
	if (key === "ArrowRight")
		return sibling(frame, 1);
	return (key === "ArrowUp") === isInverted ? frame.parent : widestChild(frame);
}

function press(target) {
	if (target === searchButton)
		onSearchButton();
	else if (target === unzoomButton)
		zoom(all);
	else
		zoom(byElement.get(target));
}

function isPressable(target) {
	return target === searchButton || target === unzoomButton || byElement.has(target);
}

function onKey(event) {
	const isCommand = event.ctrlKey || event.metaKey;
	const target = event.target;

	if (event.key === "Escape") {
		if (searchField || pattern)
			clearSearch();
		else
			zoom(all);
	} else if (target === searchField) {
		if (event.key === "Enter")
			searchField.blur();
		return;
	} else if (event.key === "F3" || (event.key === "/" && !isCommand) ||
		   (event.key === "f" && isCommand && !event.altKey)) {
		openSearchField();
	} else if (/^(Enter| )$/.test(event.key) && isPressable(target)) {
		press(target);
	} else if (/^Arrow/.test(event.key) && byElement.has(target) && !isCommand) {
		focusOn(walk(byElement.get(target), event.key));
	} else {
		return;
	}
	event.preventDefault();
}

function onSearchButton() {
	if (pattern)
		clearSearch();
	else
		openSearchField();
}

function frameOf(event) {
	return byElement.get(event.target.closest(".box"));
}

function start() {
	measure();
	fitWidth();
	readState();
	follow();
	for (const button of [searchButton, unzoomButton]) {
		button.setAttribute("tabindex", "0");
		button.setAttribute("role", "button");
	}
	searchButton.classList.remove("hidden");
	all.element.setAttribute("tabindex", "0");
	searchButton.addEventListener("click", onSearchButton);
	unzoomButton.addEventListener("click", () => zoom(all));
	area.addEventListener("click", (event) => zoom(frameOf(event) || zoomed));
	area.addEventListener("mouseover", (event) => showDetails(frameOf(event)));
	area.addEventListener("mouseleave", () => showDetails(null));
	area.addEventListener("focusin", (event) => showDetails(frameOf(event)));
	document.addEventListener("keydown", onKey);
	window.addEventListener("resize", onResize);
	window.addEventListener("scroll", follow, { passive: true });
	window.addEventListener("hashchange", readState);
}

start();
