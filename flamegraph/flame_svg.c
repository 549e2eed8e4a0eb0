/*
 * The picture as text.  Boxes are placed in percent of the inner <svg> so that
 * a browser can stretch them; data-x and data-w carry the exact values for
 * flame.js.  The numbers of boxes are written digit by digit: formatted printing would
 * take most of the time.
 */
#include "flamegraph/flame_svg.h"

#include <errno.h>
#include <string.h>

#include "base/escape.h"
#include "base/function_label.h"
#include "base/units.h"
#include "flamegraph/flame_assets.h"
#include "flamegraph/flame_palette.h"
#include "model/profile.h"

/* A character of the fixed-width font at 11 px, a little more than any has. */
#define CHARACTER_PX 6.7

enum {
	MARGIN_PX = 10,
	LINE_PX = 17, /* of header and footer text */
	TITLE_PX = 32,
	TEXT_INSET_PX = 3,
	THIN_PX = 3, /* narrower boxes have no outline, it would hide them */
};

struct picture {
	struct buffer *out;
	const struct calltree *tree;
	const struct flame_svg_options *options;
	const struct flame_layout *layout;
	unsigned int top_px;	  /* where the boxes begin */
	unsigned int boxes_px;	  /* height of all levels */
	unsigned int inner_px;	  /* width less margins */
	size_t columns;		  /* of text in inner_px */
	bool has_time;		  /* samples carry time */
	bool kinds[FLAME_KIND_N]; /* that were drawn, for the legend */
};

/* `part` of `whole` with four decimals: a hundredth of a pixel in the widest picture. */
static void add_percent(struct buffer *out, uint64_t part, uint64_t whole)
{
	uint64_t units = (uint64_t)((double)part * 1e6 / (double)whole + 0.5);
	char decimals[5] = ".0000";

	buffer_add_decimal(out, units / 10000);
	units %= 10000;
	if (!units)
		return;
	for (int i = 4; i > 0; i--, units /= 10)
		decimals[i] = (char)('0' + units % 10);
	buffer_add(out, decimals, sizeof(decimals));
}

static void add_share(struct buffer *out, uint64_t part, uint64_t whole)
{
	const uint64_t hundredths = (uint64_t)((double)part * 1e4 / (double)whole + 0.5);

	buffer_add_decimal(out, hundredths / 100);
	buffer_add_char(out, '.');
	buffer_add_char(out, (char)('0' + hundredths / 10 % 10));
	buffer_add_char(out, (char)('0' + hundredths % 10));
	buffer_add_char(out, '%');
}

/* "1,234 samples, 1.24 s, 12.34%" */
static void add_value(const struct picture *picture, const struct calltree_value *value)
{
	char text[UNITS_TEXT_BYTES];
	struct buffer *out = picture->out;

	buffer_add_string(out, units_count(text, value->n_ticks));
	buffer_add_string(out, value->n_ticks == 1 ? " sample, " : " samples, ");
	if (picture->has_time) {
		buffer_add_string(out, units_duration(text, value->weight_ns));
		buffer_add_string(out, ", ");
	}
	add_share(out, flame_unit_value(picture->layout->unit, value), picture->layout->total);
}

static const char *box_name(const struct calltree *tree, const struct calltree_node *node,
			    bool is_root)
{
	return is_root ? "all" : calltree_frame_name(tree, &tree->frames[node->frame]);
}

/* "in libc.so.6 (inlined)": where that is known. */
static void write_module(const struct picture *picture, const struct calltree_frame *frame)
{
	const struct profile *profile = picture->tree->profile;

	if (frame->is_label || frame->module == MODULE_PSEUDO ||
	    frame->module >= profile->n_modules ||
	    profile->modules[frame->module].kind == MODULE_KIND_NAMES)
		return;
	buffer_add_string(picture->out, "\nin ");
	escape_xml(picture->out, profile_module_name(profile, frame->module));
	if (frame->flags & FRAME_INLINED)
		buffer_add_string(picture->out, " (inlined)");
}

/* The tooltip: the full name on the first line, where flame.js finds it. */
static void write_tooltip(const struct picture *picture, const struct calltree_node *node,
			  const struct calltree_frame *frame, const char *name)
{
	struct buffer *out = picture->out;

	buffer_add_string(out, "<title>");
	escape_xml(out, name);
	buffer_add_string(out, "\ntotal ");
	add_value(picture, &node->total);
	buffer_add_string(out, "\nself ");
	add_value(picture, &node->self);
	if (node->total.waited_ns && node->total.waited_ns < node->total.weight_ns) {
		buffer_add_string(out, "\nof it waiting ");
		add_share(out, node->total.waited_ns, node->total.weight_ns);
	}
	if (frame)
		write_module(picture, frame);
	buffer_add_string(out, "</title>");
}

static double box_px(const struct picture *picture, const struct flame_box *box)
{
	return (double)box->width / (double)picture->layout->total * picture->inner_px;
}

static void write_label(const struct picture *picture, const struct flame_box *box,
			const char *name, unsigned int y)
{
	const double px = box_px(picture, box);
	struct buffer label = BUFFER_INIT;

	if (px < 2 * TEXT_INSET_PX + FUNCTION_LABEL_MIN_COLUMNS * CHARACTER_PX)
		return;
	function_label_fit(&label, name, (size_t)((px - 2 * TEXT_INSET_PX) / CHARACTER_PX));
	buffer_add_string(picture->out, "<text x=\"");
	add_percent(picture->out, box->start, picture->layout->total);
	buffer_add_string(picture->out, "%\" dx=\"3\" y=\"");
	buffer_add_decimal(picture->out, y + (picture->options->height_px + 7) / 2);
	buffer_add_string(picture->out, "\">");
	escape_xml(picture->out, buffer_string(&label));
	buffer_add_string(picture->out, "</text>");
	picture->out->is_failed |= label.is_failed;
	buffer_release(&label);
}

static void write_box(struct picture *picture, const struct flame_box *box)
{
	const struct calltree_node *node = &picture->tree->nodes[box->node];
	const struct calltree_frame *frame = box->node ? &picture->tree->frames[node->frame] : NULL;
	const char *name = box_name(picture->tree, node, box->node == 0);
	const bool only_waits = node->total.waited_ns &&
				node->total.waited_ns == node->total.weight_ns;
	const struct flame_color color = flame_palette_color(picture->tree, frame, only_waits);
	const uint32_t level = picture->options->is_inverted
				       ? box->depth
				       : picture->layout->n_levels - 1 - box->depth;
	const unsigned int y = level * picture->options->height_px;
	struct buffer *out = picture->out;

	picture->kinds[color.kind] = true;
	buffer_add_string(out, "<g class=\"box\" data-x=\"");
	buffer_add_decimal(out, box->start);
	buffer_add_string(out, "\" data-w=\"");
	buffer_add_decimal(out, box->width);
	buffer_add_string(out, "\">");
	write_tooltip(picture, node, frame, name);
	buffer_add_string(out, "<rect class=\"");
	flame_palette_add_class(out, color);
	if (box_px(picture, box) < THIN_PX)
		buffer_add_string(out, " thin");
	buffer_add_string(out, "\" x=\"");
	add_percent(out, box->start, picture->layout->total);
	buffer_add_string(out, "%\" y=\"");
	buffer_add_decimal(out, y);
	buffer_add_string(out, "\" width=\"");
	add_percent(out, box->width, picture->layout->total);
	buffer_add_string(out, "%\" height=\"");
	buffer_add_decimal(out, picture->options->height_px - 1);
	buffer_add_string(out, "\"/>");
	write_label(picture, box, name, y);
	buffer_add_string(out, "</g>\n");
}

/* A line of text in the header or footer, cut in its middle where it is too long. */
static void write_line(struct picture *picture, unsigned int y, const char *attributes,
		       const char *text)
{
	struct buffer fitted = BUFFER_INIT;

	escape_terminal_fit(&fitted, text, picture->columns);
	buffer_printf(picture->out, "<text y=\"%u\" %s>", y, attributes);
	escape_xml(picture->out, buffer_string(&fitted));
	buffer_add_string(picture->out, "</text>\n");
	picture->out->is_failed |= fitted.is_failed;
	buffer_release(&fitted);
}

static void write_header(struct picture *picture, unsigned int height_px)
{
	const struct flame_svg_options *options = picture->options;
	struct buffer *out = picture->out;

	buffer_printf(out,
		      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" id=\"flame\" version=\"1.1\" "
		      "width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" data-unit=\"%s\"%s>\n"
		      "<title>",
		      options->width_px, height_px, options->width_px, height_px,
		      picture->layout->unit == FLAME_TIME ? "time" : "samples",
		      options->is_fixed ? " data-fixed=\"\"" : "");
	escape_xml(out, options->title);
	buffer_add_string(out, "</title>\n<style><![CDATA[\n");
	buffer_add_string(out, flame_style);
	flame_palette_write_css(out);
	buffer_add_string(out, "]]></style>\n"
			       "<rect class=\"background\" width=\"100%\" height=\"100%\"/>\n");
	write_line(picture, 24, "id=\"title\" class=\"title\" x=\"50%\" text-anchor=\"middle\"",
		   options->title);
	if (options->subtitle)
		write_line(picture, 24 + LINE_PX,
			   "class=\"subtitle\" x=\"50%\" text-anchor=\"middle\"",
			   options->subtitle);
}

static void write_boxes(struct picture *picture)
{
	const struct flame_layout *layout = picture->layout;

	buffer_printf(picture->out,
		      "<svg id=\"frames\" x=\"%d\" y=\"%u\" width=\"%u\" height=\"%u\">\n",
		      MARGIN_PX, picture->top_px, picture->inner_px, picture->boxes_px);
	for (size_t i = 0; i < layout->n_boxes; i++)
		write_box(picture, &layout->boxes[i]);
	buffer_add_string(picture->out, "</svg>\n");
}

/*
 * Buttons and details lie above the boxes: the script keeps them in sight while
 * a tall picture scrolls, and shows the buttons, which are of no use without it.
 */
static void write_controls(struct picture *picture, unsigned int y)
{
	buffer_printf(picture->out,
		      "<g id=\"controls\">"
		      "<rect class=\"background hidden\" width=\"100%%\" height=\"34\"/>"
		      "<text id=\"unzoom\" class=\"button hidden\" x=\"10\" y=\"24\">"
		      "Reset zoom</text>"
		      "<text id=\"search\" class=\"button hidden\" x=\"100%%\" dx=\"-10\" "
		      "y=\"24\" text-anchor=\"end\">Search</text></g>\n"
		      "<g id=\"status\">"
		      "<rect class=\"background\" y=\"%u\" width=\"100%%\" height=\"%d\"/>"
		      "<text id=\"details\" x=\"10\" y=\"%u\"> </text>"
		      "<text id=\"matched\" x=\"100%%\" dx=\"-10\" y=\"%u\" "
		      "text-anchor=\"end\"></text></g>\n",
		      y - LINE_PX + 5, LINE_PX, y, y);
}

/* What was left out, so that nobody takes the picture for everything. */
static void add_pruned_note(struct buffer *out, const struct picture *picture)
{
	const struct flame_layout *layout = picture->layout;
	char text[UNITS_TEXT_BYTES];

	if (!layout->n_pruned)
		return;
	buffer_printf(out, "%s frame%s narrower than %g px not drawn, ",
		      units_count(text, layout->n_pruned), layout->n_pruned == 1 ? "" : "s",
		      picture->options->min_width_px);
	add_share(out, layout->pruned, layout->total);
	buffer_add_string(out, layout->unit == FLAME_TIME ? " of the time ends in them"
							  : " of the samples end in them");
}

static void write_legend(struct picture *picture, unsigned int y)
{
	unsigned int x = MARGIN_PX;

	for (unsigned int kind = 0; kind < FLAME_KIND_N; kind++) {
		const struct flame_color color = { .kind = kind, .shade = FLAME_N_SHADES / 2 };
		const char *name = flame_kind_name(kind);

		if (!picture->kinds[kind] || kind == FLAME_KIND_LABEL)
			continue;
		buffer_printf(picture->out, "<rect class=\"swatch ");
		flame_palette_add_class(picture->out, color);
		buffer_printf(picture->out,
			      "\" x=\"%u\" y=\"%u\" width=\"10\" height=\"10\"/>"
			      "<text class=\"note\" x=\"%u\" y=\"%u\">%s</text>\n",
			      x, y - 9, x + 15, y, name);
		x += 15 + (unsigned int)((double)strlen(name) * CHARACTER_PX) + 16;
	}
}

static void write_footer(struct picture *picture)
{
	unsigned int y = picture->top_px + picture->boxes_px + LINE_PX;
	struct buffer note = BUFFER_INIT;

	write_controls(picture, y);
	if (picture->options->footer) {
		y += LINE_PX;
		write_line(picture, y, "id=\"quality\" class=\"note\" x=\"10\"",
			   picture->options->footer);
	}
	y += LINE_PX;
	write_legend(picture, y);
	add_pruned_note(&note, picture);
	if (note.size)
		write_line(picture, y,
			   "id=\"pruned\" class=\"note\" x=\"100%\" dx=\"-10\" "
			   "text-anchor=\"end\"",
			   buffer_string(&note));
	picture->out->is_failed |= note.is_failed;
	buffer_release(&note);
}

static void write_script(struct buffer *out)
{
	buffer_add_string(out, "<script><![CDATA[\n(function () {\n\"use strict\";\n");
	buffer_add_string(out, flame_label_script);
	buffer_add_string(out, flame_script);
	buffer_add_string(out, "})();\n]]></script>\n</svg>\n");
}

static int check_sizes(const struct flame_svg_options *options, struct error *err)
{
	if (options->width_px < FLAME_WIDTH_MIN_PX || options->width_px > FLAME_WIDTH_MAX_PX)
		return error_set(err, -EINVAL, "width %u: expected %d to %d pixels",
				 options->width_px, FLAME_WIDTH_MIN_PX, FLAME_WIDTH_MAX_PX);
	if (options->height_px < FLAME_HEIGHT_MIN_PX || options->height_px > FLAME_HEIGHT_MAX_PX)
		return error_set(err, -EINVAL, "height of a box %u: expected %d to %d pixels",
				 options->height_px, FLAME_HEIGHT_MIN_PX, FLAME_HEIGHT_MAX_PX);
	return 0;
}

int flame_svg_write(struct buffer *out, const struct calltree *tree,
		    const struct flame_svg_options *options, struct error *err)
{
	struct picture picture = { .out = out, .tree = tree, .options = options };
	struct flame_layout layout = FLAME_LAYOUT_INIT;
	unsigned int footer_px = (options->footer ? 3 : 2) * LINE_PX + 8;
	int r = check_sizes(options, err);

	if (r < 0)
		return r;
	picture.inner_px = options->width_px - 2 * MARGIN_PX;
	r = flame_layout_build(&layout, tree, options->as_time ? FLAME_TIME : FLAME_SAMPLES,
			       options->min_width_px / picture.inner_px, err);
	if (r < 0)
		return r;
	picture.layout = &layout;
	picture.has_time = calltree_is_timed(tree);
	picture.columns = (size_t)(picture.inner_px / CHARACTER_PX);
	picture.top_px = TITLE_PX + (options->subtitle ? LINE_PX : 0) + 3;
	picture.boxes_px = layout.n_levels * options->height_px;
	write_header(&picture, picture.top_px + picture.boxes_px + footer_px);
	write_boxes(&picture);
	write_footer(&picture);
	write_script(out);
	if (out->is_failed)
		r = error_set_no_memory(err);
	flame_layout_release(&layout);
	return r;
}
