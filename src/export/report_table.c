/*
 * All that a row can say is listed once, by field; each kind of report picks
 * its columns from that list and says which of them are shown as text.
 */
#include "export/report_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "tree/measure.h"

enum field {
	FIELD_SELF,
	FIELD_SELF_SHARE,
	FIELD_SELF_ERROR,
	FIELD_SELF_LOW,
	FIELD_SELF_HIGH,
	FIELD_SELF_SAMPLES,
	FIELD_TOTAL,
	FIELD_TOTAL_SHARE,
	FIELD_TOTAL_ERROR,
	FIELD_TOTAL_LOW,
	FIELD_TOTAL_HIGH,
	FIELD_TOTAL_SAMPLES,
	FIELD_FUNCTION,
	FIELD_THREAD,
	FIELD_MODULE,
	FIELD_MODULE_ROW, /* the module where it is the row */
	FIELD_FILE,
	FIELD_LINE,
	FIELD_PLACE, /* "file.c:12" */
	FIELD_PROCESS,
	FIELD_START,
	FIELD_END,
	FIELD_PID,
	FIELD_TID,
	FIELD_PARENT_PID,
	FIELD_GROUP_ROW, /* the group where it is the row */
	FIELD_GROUP,
	FIELD_GROUP_TOTAL,
	FIELD_GROUP_SHARE,
	FIELD_GROUP_ERROR,
	N_FIELDS,
};

static const struct {
	const char *key;
	enum column_kind kind;
} fields[N_FIELDS] = {
	[FIELD_SELF] = { "self_ns", COLUMN_DURATION },
	[FIELD_SELF_SHARE] = { "self_share", COLUMN_SHARE },
	[FIELD_SELF_ERROR] = { "self_error", COLUMN_SHARE_ERROR },
	[FIELD_SELF_LOW] = { "self_low", COLUMN_SHARE },
	[FIELD_SELF_HIGH] = { "self_high", COLUMN_SHARE },
	[FIELD_SELF_SAMPLES] = { "self_samples", COLUMN_COUNT },
	[FIELD_TOTAL] = { "total_ns", COLUMN_DURATION },
	[FIELD_TOTAL_SHARE] = { "total_share", COLUMN_SHARE },
	[FIELD_TOTAL_ERROR] = { "total_error", COLUMN_SHARE_ERROR },
	[FIELD_TOTAL_LOW] = { "total_low", COLUMN_SHARE },
	[FIELD_TOTAL_HIGH] = { "total_high", COLUMN_SHARE },
	[FIELD_TOTAL_SAMPLES] = { "total_samples", COLUMN_COUNT },
	[FIELD_FUNCTION] = { "function", COLUMN_FUNCTION },
	[FIELD_THREAD] = { "thread", COLUMN_TEXT },
	[FIELD_MODULE_ROW] = { "module", COLUMN_TEXT },
	[FIELD_MODULE] = { "module", COLUMN_TEXT },
	[FIELD_FILE] = { "file", COLUMN_TEXT },
	[FIELD_LINE] = { "line", COLUMN_COUNT },
	[FIELD_PLACE] = { "place", COLUMN_TEXT },
	[FIELD_PROCESS] = { "process", COLUMN_TEXT },
	[FIELD_START] = { "start_ns", COLUMN_DURATION },
	[FIELD_END] = { "end_ns", COLUMN_DURATION },
	[FIELD_PID] = { "pid", COLUMN_COUNT },
	[FIELD_TID] = { "tid", COLUMN_COUNT },
	[FIELD_PARENT_PID] = { "parent_pid", COLUMN_COUNT },
	[FIELD_GROUP_ROW] = { "group", COLUMN_TEXT },
	[FIELD_GROUP] = { "group", COLUMN_TEXT },
	[FIELD_GROUP_TOTAL] = { "group_ns", COLUMN_DURATION },
	[FIELD_GROUP_SHARE] = { "group_share", COLUMN_SHARE },
	[FIELD_GROUP_ERROR] = { "group_error", COLUMN_SHARE_ERROR },
};

/* A list of these ends with N_FIELDS. */
struct pick {
	enum field field;
	const char *title; /* NULL: only in CSV and JSON */
};

static const struct pick self_picks[] = {
	{ FIELD_SELF, "Self" },	   { FIELD_SELF_SHARE, "Self %" },   { FIELD_SELF_ERROR, "±" },
	{ FIELD_SELF_LOW, NULL },  { FIELD_SELF_HIGH, NULL },	     { FIELD_SELF_SAMPLES, NULL },
	{ FIELD_TOTAL, "Total" },  { FIELD_TOTAL_SHARE, "Total %" }, { FIELD_TOTAL_ERROR, NULL },
	{ FIELD_TOTAL_LOW, NULL }, { FIELD_TOTAL_HIGH, NULL },	     { FIELD_TOTAL_SAMPLES, NULL },
	{ N_FIELDS, NULL },
};

static const struct pick total_picks[] = {
	{ FIELD_TOTAL, "Total" },  { FIELD_TOTAL_SHARE, "Total %" }, { FIELD_TOTAL_ERROR, "±" },
	{ FIELD_TOTAL_LOW, NULL }, { FIELD_TOTAL_HIGH, NULL },	     { FIELD_TOTAL_SAMPLES, NULL },
	{ N_FIELDS, NULL },
};

static const struct pick function_picks[] = {
	{ FIELD_FUNCTION, "Function" },
	{ FIELD_MODULE, "Module" },
	{ FIELD_FILE, NULL },
	{ N_FIELDS, NULL },
};

static const struct pick module_picks[] = {
	{ FIELD_MODULE_ROW, "Module" },
	{ N_FIELDS, NULL },
};

static const struct pick line_picks[] = {
	{ FIELD_PLACE, "Line" }, { FIELD_FUNCTION, "Function" }, { FIELD_MODULE, NULL },
	{ FIELD_FILE, NULL },	 { FIELD_LINE, NULL },		 { N_FIELDS, NULL },
};

/* Processes, threads and groups: how many samples is no detail there. */
static const struct pick label_picks[] = {
	{ FIELD_TOTAL, "Total" },   { FIELD_TOTAL_SHARE, "Total %" },
	{ FIELD_TOTAL_ERROR, "±" }, { FIELD_TOTAL_LOW, NULL },
	{ FIELD_TOTAL_HIGH, NULL }, { FIELD_TOTAL_SAMPLES, "Samples" },
	{ N_FIELDS, NULL },
};

static const struct pick thread_picks[] = {
	{ FIELD_START, "Start" }, { FIELD_END, "End" }, { FIELD_THREAD, "Thread" },
	{ FIELD_PID, NULL },	  { FIELD_TID, NULL },	{ FIELD_PROCESS, NULL },
	{ N_FIELDS, NULL },
};

static const struct pick process_picks[] = {
	{ FIELD_START, "Start" }, { FIELD_END, "End" },	      { FIELD_PROCESS, "Process" },
	{ FIELD_PID, NULL },	  { FIELD_PARENT_PID, NULL }, { N_FIELDS, NULL },
};

static const struct pick group_row_picks[] = {
	{ FIELD_GROUP_ROW, "Group" },
	{ N_FIELDS, NULL },
};

/* Behind those of a table that is split. */
static const struct pick group_picks[] = {
	{ FIELD_GROUP, NULL },	     { FIELD_GROUP_TOTAL, NULL }, { FIELD_GROUP_SHARE, NULL },
	{ FIELD_GROUP_ERROR, NULL }, { N_FIELDS, NULL },
};

static const struct pick caller_picks[] = {
	{ FIELD_FUNCTION, "Caller" },
	{ FIELD_MODULE, "Module" },
	{ N_FIELDS, NULL },
};

static const struct pick callee_picks[] = {
	{ FIELD_FUNCTION, "Callee" },
	{ FIELD_MODULE, "Module" },
	{ N_FIELDS, NULL },
};

static const struct {
	const char *name;
	const struct pick *numbers;
	const struct pick *texts;
} kinds[] = {
	[REPORT_FUNCTIONS] = { "functions", self_picks, function_picks },
	[REPORT_MODULES] = { "modules", self_picks, module_picks },
	[REPORT_LINES] = { "lines", self_picks, line_picks },
	[REPORT_THREADS] = { "threads", label_picks, thread_picks },
	[REPORT_PROCESSES] = { "processes", label_picks, process_picks },
	[REPORT_GROUPS] = { "groups", label_picks, group_row_picks },
	[REPORT_CALLERS] = { "callers", total_picks, caller_picks },
	[REPORT_CALLEES] = { "callees", self_picks, callee_picks },
};

const char *report_kind_name(enum report_kind kind)
{
	return kinds[kind].name;
}

/* The fields that are the table's columns, in order. */
struct picked {
	enum field fields[N_FIELDS];
	size_t n_fields;
	bool is_timed;
};

static void add_columns(struct table *table, struct picked *picked, const struct pick *picks)
{
	for (; picks->field != N_FIELDS; picks++) {
		struct table_column column = { .title = picks->title,
					       .key = fields[picks->field].key,
					       .kind = fields[picks->field].kind };
		enum field field = picks->field;

		/* Without times the samples are what is shown, and nothing is said twice. */
		if (!picked->is_timed &&
		    (field == FIELD_SELF_SAMPLES || field == FIELD_TOTAL_SAMPLES))
			continue;
		if (!picked->is_timed && (field == FIELD_SELF || field == FIELD_TOTAL)) {
			field = field == FIELD_SELF ? FIELD_SELF_SAMPLES : FIELD_TOTAL_SAMPLES;
			column.key = fields[field].key;
			column.kind = COLUMN_COUNT;
		}
		if (!picked->is_timed && field == FIELD_GROUP_TOTAL) {
			column.key = "group_samples";
			column.kind = COLUMN_COUNT;
		}
		picked->fields[picked->n_fields++] = field;
		table_add_column(table, column);
	}
}

/* The file name and line, as a compiler prints them; the path is in a column of its own. */
static const char *place_text(struct table *table, const char *file, uint32_t line)
{
	const char *const slash = strrchr(file, '/');
	struct buffer text = BUFFER_INIT;
	const char *kept;

	buffer_add_string(&text, slash ? slash + 1 : file);
	if (line)
		buffer_printf(&text, ":%u", line);
	kept = text.is_failed ? NULL : table_keep_text(table, buffer_string(&text));
	buffer_release(&text);
	return kept;
}

/* What there is to say about one row. */
struct row_facts {
	struct measure self;
	struct measure total;
	const char *name;
	const char *module;
	const char *file;
	const char *place;
	const char *process;
	const struct lifetime *lifetime;
	const struct report_group *group;
	uint32_t line;
};

static struct table_cell number_cell(uint64_t number)
{
	return (struct table_cell){ .number = number };
}

static struct table_cell share_cell(double share)
{
	return (struct table_cell){ .share = share };
}

static struct table_cell text_cell(const char *text)
{
	return (struct table_cell){ .text = text, .is_empty = text[0] == '\0' };
}

static struct table_cell known_cell(uint64_t number, bool is_known)
{
	return (struct table_cell){ .number = is_known ? number : 0, .is_empty = !is_known };
}

/* What is known of a process or thread, and of the group that a row is in. */
static struct table_cell group_cell_of(const struct row_facts *facts, enum field field)
{
	const struct lifetime *lifetime = facts->lifetime;
	const struct thread *thread = lifetime ? lifetime->thread : NULL;

	if (field == FIELD_START)
		return known_cell(lifetime ? lifetime->start_ns : 0, thread && lifetime->has_start);
	if (field == FIELD_END)
		return known_cell(lifetime ? lifetime->end_ns : 0, thread && lifetime->has_end);
	if (field == FIELD_PID)
		return known_cell(thread ? thread->pid : 0, thread && thread->pid);
	if (field == FIELD_TID)
		return known_cell(thread ? thread->tid : 0, thread && thread->tid);
	if (field == FIELD_PARENT_PID)
		return known_cell(thread ? thread->parent_pid : 0, thread && thread->parent_pid);
	if (!facts->group)
		return (struct table_cell){ .is_empty = true };
	if (field == FIELD_GROUP)
		return text_cell(facts->group->name);
	if (field == FIELD_GROUP_TOTAL)
		return number_cell(facts->group->measure.weight);
	if (field == FIELD_GROUP_SHARE)
		return share_cell(facts->group->measure.share);
	return share_cell(interval_half_width(facts->group->measure.interval));
}

static struct table_cell cell_of(const struct row_facts *facts, enum field field)
{
	switch (field) {
	case FIELD_SELF:
		return number_cell(facts->self.weight);
	case FIELD_SELF_SHARE:
		return share_cell(facts->self.share);
	case FIELD_SELF_ERROR:
		return share_cell(interval_half_width(facts->self.interval));
	case FIELD_SELF_LOW:
		return share_cell(facts->self.interval.low);
	case FIELD_SELF_HIGH:
		return share_cell(facts->self.interval.high);
	case FIELD_SELF_SAMPLES:
		return number_cell(facts->self.n_ticks);
	case FIELD_TOTAL:
		return number_cell(facts->total.weight);
	case FIELD_TOTAL_SHARE:
		return share_cell(facts->total.share);
	case FIELD_TOTAL_ERROR:
		return share_cell(interval_half_width(facts->total.interval));
	case FIELD_TOTAL_LOW:
		return share_cell(facts->total.interval.low);
	case FIELD_TOTAL_HIGH:
		return share_cell(facts->total.interval.high);
	case FIELD_TOTAL_SAMPLES:
		return number_cell(facts->total.n_ticks);
	case FIELD_FUNCTION:
	case FIELD_THREAD:
	case FIELD_MODULE_ROW:
	case FIELD_GROUP_ROW:
		return text_cell(facts->name);
	case FIELD_PROCESS:
		return text_cell(facts->process);
	case FIELD_MODULE:
		return text_cell(facts->module);
	case FIELD_FILE:
		return text_cell(facts->file);
	case FIELD_LINE:
		return (struct table_cell){ .number = facts->line, .is_empty = !facts->line };
	case FIELD_PLACE:
		return text_cell(facts->place);
	case FIELD_START:
	case FIELD_END:
	case FIELD_PID:
	case FIELD_TID:
	case FIELD_PARENT_PID:
	case FIELD_GROUP:
	case FIELD_GROUP_TOTAL:
	case FIELD_GROUP_SHARE:
	case FIELD_GROUP_ERROR:
	case N_FIELDS:
		break;
	}
	return group_cell_of(facts, field);
}

/* An import that has no modules says so once, not in every row. */
static bool is_names_only(const struct profile *profile, uint32_t module)
{
	return module < profile->n_modules && profile->modules[module].kind == MODULE_KIND_NAMES;
}

/* The name of the process that a thread was in; a process's row says it with its number. */
static const char *process_of(const struct calltree *tree, const struct row_facts *facts,
			      enum report_kind kind)
{
	if (kind == REPORT_PROCESSES)
		return facts->name;
	if (!facts->lifetime || !facts->lifetime->thread)
		return "";
	return interner_get(&tree->profile->strings, facts->lifetime->thread->process_name);
}

static int add_frame_row(struct table *table, const struct picked *picked, enum report_kind kind,
			 const struct report_rows *rows, size_t at)
{
	const struct calltree *tree = rows->frames->tree;
	const struct frame_row *row = &rows->frames->rows[at];
	const struct calltree_frame *frame = row->frame == FRAME_NONE ? NULL
								      : &tree->frames[row->frame];
	struct row_facts facts = {
		.self = measure_of(tree, &row->self),
		.total = measure_of(tree, &row->total),
		.name = frame_row_name(rows->frames, row),
		.module = "",
		.file = "",
		.place = "",
		.lifetime = rows->lifetimes ? &rows->lifetimes->rows[at] : NULL,
		.group = rows->group,
	};
	struct table_cell cells[N_FIELDS];

	facts.process = process_of(tree, &facts, kind);
	if (frame && !frame->is_label) {
		if (!is_names_only(tree->profile, frame->module))
			facts.module = profile_module_name(tree->profile, frame->module);
		facts.file = interner_get(&tree->profile->strings, frame->file);
		facts.line = frame->line;
		facts.place = place_text(table, facts.file, facts.line);
		if (!facts.place)
			return -ENOMEM;
	}
	for (size_t i = 0; i < picked->n_fields; i++) {
		cells[i] = cell_of(&facts, picked->fields[i]);
		if (picked->fields[i] == FIELD_PLACE && cells[i].is_empty)
			cells[i] = text_cell("[no line]");
	}
	return table_add_row(table, (struct table_row){ 0 }, cells);
}

int report_table_build(struct table *table, enum report_kind kind, const struct report_rows *rows)
{
	struct picked picked = { .is_timed = calltree_is_timed(rows->frames->tree) };
	int r = 0;

	*table = (struct table){ .name = kinds[kind].name };
	add_columns(table, &picked, kinds[kind].numbers);
	add_columns(table, &picked, kinds[kind].texts);
	if (rows->group)
		add_columns(table, &picked, group_picks);
	for (size_t i = 0; r == 0 && i < rows->n_rows && i < rows->frames->n_rows; i++)
		r = add_frame_row(table, &picked, kind, rows, i);
	if (r < 0)
		table_release(table);
	return r;
}
