/*
 * Warm colours for code, other hues for what is not the program's own: each
 * kind is a range of hues in HSL, with sixteen shades whose lightness varies a
 * little so that neighbours can be told apart.
 */
#include "flamegraph/flame_palette.h"

#include <math.h>
#include <string.h>

#include "base/hash.h"
#include "model/profile.h"

struct kind_style {
	char letter;
	const char *name;
	double hue_first, hue_last; /* degrees */
	double saturation;	    /* 0…1 */
	double lightness;	    /* 0…1, of the middle shade */
	double spread;		    /* of the lightness, both ways */
};

static const struct kind_style styles[FLAME_KIND_N] = {
	[FLAME_KIND_APP] = { 'a', "program", 6, 34, 0.86, 0.645, 0.045 },
	[FLAME_KIND_LIBRARY] = { 'l', "library", 40, 54, 0.80, 0.635, 0.045 },
	[FLAME_KIND_INLINED] = { 'i', "inlined", 14, 40, 0.78, 0.80, 0.035 },
	[FLAME_KIND_KERNEL] = { 'k', "kernel", 200, 226, 0.58, 0.715, 0.04 },
	[FLAME_KIND_JIT] = { 'j', "JIT", 95, 145, 0.45, 0.64, 0.04 },
	[FLAME_KIND_WAIT] = { 'w', "waiting", 166, 194, 0.46, 0.66, 0.045 },
	[FLAME_KIND_WAIT_KERNEL] = { 'v', "waiting in kernel", 234, 258, 0.52, 0.76, 0.035 },
	[FLAME_KIND_UNKNOWN] = { 'u', "unknown", 220, 220, 0.02, 0.76, 0.02 },
	[FLAME_KIND_SCOPE] = { 's', "scope or phase", 312, 334, 0.50, 0.82, 0.03 },
	[FLAME_KIND_LABEL] = { 'p', "process", 30, 30, 0.16, 0.84, 0.0 },
};

static enum flame_kind kind_of(const struct calltree *tree, const struct calltree_frame *frame)
{
	const uint32_t id = frame->module;
	const uint8_t module_kind = id < tree->profile->n_modules ? tree->profile->modules[id].kind
								  : MODULE_KIND_PSEUDO;

	if (frame->is_label)
		return frame->label_kind == LABEL_OTHER ? FLAME_KIND_LABEL : FLAME_KIND_SCOPE;
	if (frame->flags & (FRAME_UNRESOLVED | FRAME_PSEUDO))
		return FLAME_KIND_UNKNOWN;
	if ((frame->flags & FRAME_KERNEL) || module_kind == MODULE_KIND_KERNEL)
		return FLAME_KIND_KERNEL;
	if (frame->flags & FRAME_JIT)
		return FLAME_KIND_JIT;
	if (frame->flags & FRAME_INLINED)
		return FLAME_KIND_INLINED;
	if (module_kind == MODULE_KIND_VDSO)
		return FLAME_KIND_LIBRARY;
	if (module_kind == MODULE_KIND_FILE &&
	    strstr(profile_module_name(tree->profile, id), ".so"))
		return FLAME_KIND_LIBRARY;
	return FLAME_KIND_APP;
}

struct flame_color flame_palette_color(const struct calltree *tree,
				       const struct calltree_frame *frame, bool only_waits)
{
	struct flame_color color = { .kind = FLAME_KIND_LABEL };

	if (frame) {
		const char *name = calltree_frame_name(tree, frame);

		color.kind = kind_of(tree, frame);
		if (only_waits && color.kind == FLAME_KIND_KERNEL)
			color.kind = FLAME_KIND_WAIT_KERNEL;
		else if (only_waits && color.kind != FLAME_KIND_LABEL &&
			 color.kind != FLAME_KIND_SCOPE)
			color.kind = FLAME_KIND_WAIT;
		color.shade = (uint8_t)(hash_bytes(name, strlen(name)) % FLAME_N_SHADES);
	}
	return color;
}

const char *flame_kind_name(enum flame_kind kind)
{
	return styles[kind].name;
}

void flame_palette_add_class(struct buffer *out, struct flame_color color)
{
	buffer_add_char(out, styles[color.kind].letter);
	buffer_add_char(out, "0123456789abcdef"[color.shade % FLAME_N_SHADES]);
}

/* One channel of HSL to sRGB (CSS Color 4, 7.1); `n` is 0 for red, 8 green, 4 blue. */
static unsigned int hsl_channel(double hue, double saturation, double lightness, double n)
{
	const double k = fmod(n + hue / 30, 12);
	const double a = saturation * fmin(lightness, 1 - lightness);
	const double value = lightness - a * fmax(-1, fmin(fmin(k - 3, 9 - k), 1));

	return (unsigned int)lround(value * 255);
}

static void write_rules(struct buffer *out, double saturation_factor, double lightness_factor)
{
	for (size_t kind = 0; kind < FLAME_KIND_N; kind++) {
		const struct kind_style *style = &styles[kind];

		for (unsigned int shade = 0; shade < FLAME_N_SHADES; shade++) {
			const double along = shade / (FLAME_N_SHADES - 1.0);
			const double h = style->hue_first +
					 along * (style->hue_last - style->hue_first);
			const double s = style->saturation * saturation_factor;
			/* 7 is coprime to 16: neighbouring hues differ in lightness. */
			const double wave = (shade * 7 % FLAME_N_SHADES - 7.5) / 7.5;
			const double l = (style->lightness + wave * style->spread) *
					 lightness_factor;

			buffer_printf(out, ".%c%x{fill:#%02x%02x%02x}", style->letter, shade,
				      hsl_channel(h, s, l, 0), hsl_channel(h, s, l, 8),
				      hsl_channel(h, s, l, 4));
		}
		buffer_add_char(out, '\n');
	}
}

void flame_palette_write_css(struct buffer *out)
{
	write_rules(out, 1, 1);
	buffer_add_string(out, "@media (prefers-color-scheme:dark){\n");
	write_rules(out, 0.72, 0.82);
	buffer_add_string(out, "}\n");
}
