/*
 * The line number machine (DWARF 5, 6.2.5).  Rows of a sequence come by rising
 * address, and so do the addresses asked: each row ends the reach of the one
 * before, and gives that one's place to the addresses between them.
 */
#include "symbol/dwarf_lines.h"

#include <dwarf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"

/* Units may share a program; more that share a large one than this are no compiler's work. */
enum { DWARF_LINES_MAX_SHARED = 8 };

struct machine {
	struct dwarf_lines *lines;
	const uint64_t *vaddrs;
	size_t n_vaddrs;
	size_t next; /* the first address at or after the last row's */
	/* The registers. */
	uint64_t vaddr;
	uint32_t file;
	uint32_t line;
	/* The last row. */
	bool has_row;
	uint64_t row_vaddr;
	struct dwarf_line_place row;
};

/* What a special opcode adds to the registers. */
struct step {
	uint32_t line;
	uint32_t vaddr;
};

static size_t lower_bound(const uint64_t *vaddrs, size_t n_vaddrs, uint64_t vaddr)
{
	size_t low = 0;
	size_t high = n_vaddrs;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (vaddrs[middle] < vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A row at the machine's address, unless it only says where the last one ends. */
static inline void add_row(struct machine *m)
{
	if (!m->has_row || m->vaddr < m->row_vaddr) {
		m->next = lower_bound(m->vaddrs, m->n_vaddrs, m->vaddr);
	} else {
		while (m->next < m->n_vaddrs && m->vaddrs[m->next] < m->vaddr)
			m->lines->places[m->next++] = m->row;
	}
	m->has_row = m->vaddr >= m->lines->first_vaddr;
	m->row_vaddr = m->vaddr;
	m->row = (struct dwarf_line_place){ .file = m->file, .line = m->line };
}

static void reset(struct machine *m)
{
	m->vaddr = 0;
	m->file = 1;
	m->line = 1;
	m->has_row = false;
}

static void run_extended(struct machine *m, struct bytes *b)
{
	struct bytes operands = bytes_sub(b, bytes_uleb(b));

	switch (bytes_u8(&operands)) {
	case DW_LNE_end_sequence:
		add_row(m);
		reset(m);
		break;
	case DW_LNE_set_address:
		m->vaddr = bytes_left(&operands) >= 8 ? bytes_u64(&operands) : bytes_u32(&operands);
		break;
	default: /* discriminators, and what others invented */
		break;
	}
}

static void run_standard(struct machine *m, struct bytes *b, uint8_t opcode)
{
	const struct dwarf_line_header *const header = &m->lines->header;

	switch (opcode) {
	case DW_LNS_copy:
		add_row(m);
		break;
	case DW_LNS_advance_pc:
		m->vaddr += bytes_uleb(b) * header->min_instruction_bytes;
		break;
	case DW_LNS_advance_line:
		m->line += (uint32_t)bytes_sleb(b);
		break;
	case DW_LNS_set_file:
		m->file = (uint32_t)bytes_uleb(b);
		break;
	case DW_LNS_const_add_pc:
		m->vaddr += (uint64_t)((UINT8_MAX - header->opcode_base) / header->line_range) *
			    header->min_instruction_bytes;
		break;
	case DW_LNS_fixed_advance_pc:
		m->vaddr += bytes_u16(b);
		break;
	default: /* columns, statements, what came after DWARF 5 */
		for (uint8_t n = header->n_operands[opcode - 1]; n > 0; n--)
			(void)bytes_uleb(b);
		break;
	}
}

static void run(struct machine *m)
{
	const struct dwarf_line_header *const header = &m->lines->header;
	struct bytes b = header->program;
	struct step steps[UINT8_MAX + 1];

	for (unsigned int opcode = header->opcode_base; opcode <= UINT8_MAX; opcode++) {
		const unsigned int n = opcode - header->opcode_base;

		steps[opcode].line = (uint32_t)(header->line_base + (int)(n % header->line_range));
		steps[opcode].vaddr = n / header->line_range * header->min_instruction_bytes;
	}
	reset(m);
	while (bytes_left(&b) && !b.is_bad) {
		const uint8_t opcode = bytes_u8(&b);

		if (opcode >= header->opcode_base) {
			m->line += steps[opcode].line;
			m->vaddr += steps[opcode].vaddr;
			add_row(m);
		} else if (opcode == 0) {
			run_extended(m, &b);
		} else {
			run_standard(m, &b, opcode);
		}
	}
}

/* Cut after the last NUL, so that every offset in it is that of a string. */
static void terminate(struct elf_section *section)
{
	const uint8_t *last = section->size_bytes
				      ? memrchr(section->bytes, '\0', section->size_bytes)
				      : NULL;

	section->size_bytes = last ? (size_t)(last - section->bytes) + 1 : 0;
}

void dwarf_lines_init(struct dwarf_lines *lines, const struct dwarf_line_sections *sections,
		      uint64_t first_vaddr)
{
	*lines = (struct dwarf_lines){
		.sections = *sections,
		.first_vaddr = first_vaddr,
		.bytes_left = DWARF_LINES_MAX_SHARED * (uint64_t)sections->line.size_bytes,
	};
	terminate(&lines->sections.str);
	terminate(&lines->sections.line_str);
}

void dwarf_lines_release(struct dwarf_lines *lines)
{
	dwarf_line_header_release(&lines->header);
	free(lines->places);
	*lines = (struct dwarf_lines){ 0 };
}

int dwarf_lines_walk(struct dwarf_lines *lines, uint64_t offset, const char *comp_dir,
		     const uint64_t *vaddrs, size_t n_vaddrs)
{
	struct machine machine = { .lines = lines, .vaddrs = vaddrs, .n_vaddrs = n_vaddrs };
	struct dwarf_line_place *grown = array_grown(lines->places, &lines->places_capacity,
						     n_vaddrs, sizeof(*grown));
	int r;

	if (!grown)
		return -ENOMEM;
	lines->places = grown;
	for (size_t i = 0; i < n_vaddrs; i++)
		grown[i] = (struct dwarf_line_place){ .file = DWARF_NO_LINE };
	r = dwarf_line_header_read(&lines->header, &lines->sections, offset, comp_dir);
	if (r == -EINVAL)
		lines->header.n_files = 0;
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (bytes_left(&lines->header.program) <= lines->bytes_left) {
		lines->bytes_left -= bytes_left(&lines->header.program);
		run(&machine);
	}
	return 0;
}

int dwarf_lines_path(struct dwarf_lines *lines, struct interner *strings, uint64_t file,
		     uint32_t *ret_id)
{
	struct dwarf_line_file *at;
	struct buffer path = BUFFER_INIT;
	int r = -ENOMEM;

	*ret_id = 0;
	if (file >= lines->header.n_files)
		return 0;
	at = &lines->header.files[file];
	if (!at->path) {
		if (at->name[0] != '/' && at->directory) {
			buffer_add_string(&path, at->directory);
			buffer_add_char(&path, '/');
		}
		buffer_add_string(&path, at->name);
		if (!path.is_failed)
			r = interner_add_sized(strings, &at->path, buffer_string(&path), path.size);
		buffer_release(&path);
		if (r < 0)
			return r;
	}
	*ret_id = at->path;
	return 0;
}
