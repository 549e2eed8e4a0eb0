/*
 * Put behind flame.js by flame_browser.sh: acts as a user would and writes down
 * what came of it, a line each, into <text id="results">.
 */
(function () {
	"use strict";

	const results = [];
	const root = document.documentElement;
	const find = (id) => root.querySelector("#" + id);
	const boxes = Array.from(root.querySelectorAll(".box"));

	function check(name, isTrue) {
		results.push((isTrue ? "ok: " : "FAILED: ") + name);
	}

	function same(name, found, expected) {
		check(name + (found === expected ? "" :
			": expected '" + expected + "', found '" + found + "'"), found === expected);
	}

	function nameOf(box) {
		return box.querySelector("title").textContent.split("\n")[0];
	}

	function box(name, nth) {
		return boxes.filter((b) => nameOf(b) === name)[nth || 0];
	}

	function shown() {
		return boxes.filter((b) => !b.classList.contains("hidden")).length;
	}

	function attribute(b, name) {
		return b.querySelector("rect").getAttribute(name);
	}

	function label(b) {
		const text = b.querySelector("text");

		return text ? text.textContent : "";
	}

	function click(element) {
		element.dispatchEvent(new MouseEvent("click", { bubbles: true }));
	}

	function key(element, name, more) {
		element.dispatchEvent(new KeyboardEvent("keydown",
			Object.assign({ key: name, bubbles: true, cancelable: true }, more)));
	}

	function type(text) {
		const field = find("searchbox");

		field.value = text;
		field.dispatchEvent(new Event("input", { bubbles: true }));
	}

	function testZoom() {
		const n = boxes.length;

		same("all boxes are shown", shown(), n);
		check("no way back is offered at first", find("unzoom").classList.contains("hidden"));
		click(box("parse", 1));
		check("the clicked box fills the width", attribute(box("parse", 1), "width") === "100.0000%");
		same("its child keeps its share", attribute(box("lex", 1), "width"), "60.0000%");
		same("its child starts with it", attribute(box("lex", 1), "x"), "0.0000%");
		check("ancestors fill the width", attribute(box("main"), "width") === "100.0000%");
		check("ancestors are marked", ["all", "app", "main"].every(
			(name) => box(name).classList.contains("parent")));
		same("others are hidden", shown(), 5);
		check("the address has the zoom", /^#x=\d+&y=3$/.test(location.hash));
		check("the details tell of it", find("details").textContent.startsWith("parse \u00b7 total 50 "));
		check("a way back is offered", !find("unzoom").classList.contains("hidden"));
		click(find("unzoom"));
		same("reset shows all again", shown(), n);
		check("reset unmarks", !root.querySelector(".parent"));
		same("reset clears the address", location.hash, "");
		click(box("main"));
		click(box("all"));
		same("a click on the root resets too", shown(), n);
		click(box("eval"));
		key(document.body || root, "Escape");
		same("Escape resets", shown(), n);
	}

	function testSearch() {
		click(find("search"));
		check("the search field opens", Boolean(find("searchbox")));
		type("parse|lex");
		same("overlap counts once", find("matched").textContent, "Matched: 60.0%");
		same("matches are marked", root.querySelectorAll(".match").length, 4);
		same("the address has the search", location.hash, "#s=parse%7Clex");
		type("LEX");
		same("capitals match exactly", find("matched").textContent, "Matched: 0.0%");
		type("^Parse$".toLowerCase());
		same("patterns may be anchored", find("matched").textContent, "Matched: 60.0%");
		click(box("eval"));
		same("a zoom tells both shares", find("matched").textContent,
			"Matched: 60.0%, here: 22.2%");
		click(box("all"));
		type("(");
		check("a bad pattern is told", find("matched").classList.contains("bad"));
		key(find("searchbox"), "Escape");
		same("Escape clears", find("matched").textContent, "");
		check("Escape unmarks", !root.querySelector(".match"));
		check("Escape closes the field", !find("searchbox"));
		for (const [name, more] of [["f", { ctrlKey: true }], ["F3", {}], ["/", {}]]) {
			key(root, name, more);
			check(name + " opens the field", Boolean(find("searchbox")));
			key(find("searchbox"), "Escape");
		}
		key(root, "/");
		type("<script>");
		same("names are text", find("matched").textContent, "Matched: 5.0%");
		key(find("searchbox"), "Escape");
		check("no name became an element", root.querySelectorAll("script").length === 2);
	}

	function testHover() {
		const over = box("eval");

		over.querySelector("rect").dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
		check("hovering tells total and self",
			/^eval \u00b7 total 45 samples, 45\.00% \u00b7 self 23 samples, 23\.00%/
				.test(find("details").textContent));
		find("frames").dispatchEvent(new MouseEvent("mouseleave"));
		same("leaving clears it", find("details").textContent.trim(), "");
	}

	function testKeys() {
		const isInverted = attribute(box("all"), "y") === "0";
		const inwards = isInverted ? "ArrowDown" : "ArrowUp";
		const outwards = isInverted ? "ArrowUp" : "ArrowDown";

		box("all").focus();
		check("the root takes the focus", document.activeElement === box("all"));
		key(document.activeElement, inwards);
		key(document.activeElement, inwards);
		check("arrows go inwards", document.activeElement === box("main"));
		key(document.activeElement, inwards);
		const child = document.activeElement;
		key(child, "ArrowLeft");
		key(document.activeElement, "ArrowRight");
		check("arrows go sidewards", document.activeElement === child);
		key(child, "Enter");
		check("Enter zooms", attribute(child, "width") === "100.0000%");
		key(child, outwards);
		check("arrows go outwards", document.activeElement === box("main"));
		key(root, "Escape");
		same("one box at a time can be tabbed to",
			root.querySelectorAll(".box[tabindex]").length, 1);
	}

	function testAddress() {
		if (location.hash.startsWith("#x=50")) {
			same("the address zooms", attribute(box("parse", 1), "width"), "100.0000%");
			same("and searches", find("matched").textContent, "Matched: 40.0%, here: 60.0%");
		} else if (location.hash === "#s=%28") {
			check("a bad pattern is told", find("matched").classList.contains("bad"));
		} else if (location.search) {
			same("a query works too", find("matched").textContent, "Matched: 60.0%");
		} else {
			same("what is not there is not zoomed", shown(), boxes.length);
		}
	}

	/* With the width that the program assumed, the script must agree with its labels. */
	function testLabels() {
		const template = box("std::vector<int, std::allocator<int> >::push_back(int const&)");

		same("templates are shortened", label(template), "\u2026::push_back");
		click(template);
		same("and whole where they fit", label(template), nameOf(template));
		click(box("all"));
		same("and shortened again", label(template), "\u2026::push_back");
		const isWide = boxes.every((b) => {
			const text = b.querySelector("text");

			return !label(b) || text.getComputedTextLength() <=
				b.querySelector("rect").getBoundingClientRect().width;
		});
		check("labels stay inside their boxes", isWide);
	}

	function testWidth() {
		const width = root.getBoundingClientRect().width;

		same("the width is the window's, or as asked for", width,
			"fixed" in root.dataset ? 800 : window.innerWidth);
		same("boxes fill it", find("frames").getBoundingClientRect().width, width - 20);
	}

	/* A picture taller than the window. */
	function testTall() {
		const inside = (id) => {
			const where = find(id).getBoundingClientRect();

			return where.top >= 0 && where.bottom <= window.innerHeight;
		};

		check("the search button is in sight", inside("search"));
		check("the details are in sight", inside("details"));
		window.scrollTo(0, 2000);
		window.dispatchEvent(new Event("scroll"));
		check("it scrolled", root.getBoundingClientRect().top < -1000);
		check("the search button stays in sight", inside("search"));
		check("the details stay in sight", inside("details"));
	}

	try {
		if (boxes.length > 200) {
			testTall();
		} else if (location.hash || location.search) {
			testAddress();
		} else {
			testWidth();
			testZoom();
			testSearch();
			testHover();
			testKeys();
			if (!("fixed" in root.dataset))
				testLabels();
		}
		results.push("done");
	} catch (error) {
		results.push("FAILED: " + error + " " + error.stack);
	}
	const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
	text.id = "results";
	text.textContent = "\n" + results.join("\n") + "\n";
	root.append(text);
})();
