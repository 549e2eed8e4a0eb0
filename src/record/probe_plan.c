/* Names to files, functions and places in them. */
#include "record/probe_plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "record/probe_fields.h"
#include "record/probe_file.h"
#include "symbol/function_search.h"

/* Behind the name of a function whose return is a milestone. */
#define OF_RETURN "%return"

enum { CANDIDATES_SHOWN = 6 };

struct planning {
	struct probe_plan *plan;
	const struct probe_spec *spec;
	struct probe_file *file;
	struct function_search search;
};

static int add_point(struct planning *planning, const struct function_match *match,
		     const struct probe_spot *spot, bool is_return)
{
	struct probe_plan *plan = planning->plan;
	const struct probe *probe = &plan->probes[plan->n_probes - 1];
	struct probe_point *points = array_grown(plan->points, &plan->points_capacity,
						 plan->n_points + 1, sizeof(*points));
	uint32_t *owners = array_grown(plan->owners, &plan->owners_capacity, plan->n_points + 1,
				       sizeof(*owners));
	struct buffer fields = BUFFER_INIT;

	if (points)
		plan->points = points;
	if (owners)
		plan->owners = owners;
	if (!points || !owners)
		return -ENOMEM;
	if (is_return)
		probe_fields_of_return(&fields, probe->spec);
	else
		probe_fields_of_entry(&fields, probe->spec, probe->has_arguments);
	points[plan->n_points] = (struct probe_point){
		.path = strdup(planning->file->path),
		.file_offset = match->file_offset + spot->skip_bytes,
		.is_return = is_return,
		.fields = fields.is_failed ? NULL : fields.data,
	};
	owners[plan->n_points] = (uint32_t)(plan->n_probes - 1);
	plan->n_points++;
	return points[plan->n_points - 1].path && !fields.is_failed ? 0 : -ENOMEM;
}

/* "ns::parse(char const*)" without its parameters. */
static char *short_name(const char *name)
{
	const char *at = strchr(name, '(');

	while (at && (at == name || (at - name >= 8 && strncmp(at - 8, "operator", 8) == 0)))
		at = strchr(at + 1, '(');
	return at ? strndup(name, (size_t)(at - name)) : strdup(name);
}

/* What a milestone or scope is called; where it returns is another milestone. */
static char *probe_name(const struct probe_spec *spec, const char *function)
{
	char *name = short_name(function);
	char *longer = NULL;

	if (!name || !spec->is_return)
		return name;
	if (asprintf(&longer, "%s%s", name, OF_RETURN) < 0)
		longer = NULL;
	free(name);
	return longer;
}

bool probe_is_of(const struct probe *probe, const char *function)
{
	const size_t name_bytes = strlen(probe->name);
	const size_t n_bytes = name_bytes - (probe->spec->is_return ? strlen(OF_RETURN) : 0);

	return strncmp(function, probe->name, n_bytes) == 0 &&
	       (!function[n_bytes] || function[n_bytes] == '(');
}

/* As a process has it mapped: links are followed. */
static char *module_name(const char *path)
{
	char *const real = realpath(path, NULL);
	const char *const known = real ? real : path;
	const char *const slash = strrchr(known, '/');
	char *const name = strdup(slash ? slash + 1 : known);

	free(real);
	return name;
}

static int add_function(struct planning *planning, const struct function_match *match)
{
	struct probe_plan *plan = planning->plan;
	const struct probe_spec *spec = planning->spec;
	const bool has_arguments = spec->n_arguments && !match->is_clone;
	const struct probe_spot spot = probe_file_spot(planning->file, match, has_arguments);
	struct probe *grown = array_grown(plan->probes, &plan->probes_capacity, plan->n_probes + 1,
					  sizeof(*grown));
	int r;

	if (!grown)
		return -ENOMEM;
	plan->probes = grown;
	grown[plan->n_probes] = (struct probe){
		.spec = spec,
		.name = probe_name(spec, match->name),
		.module = module_name(planning->file->path),
		.is_stepped = spot.is_stepped,
		.has_arguments = has_arguments,
	};
	plan->n_probes++;
	if (!grown[plan->n_probes - 1].name || !grown[plan->n_probes - 1].module)
		return -ENOMEM;
	if (match->is_clone && spec->n_arguments)
		buffer_printf(
			&plan->remarks,
			"%s is a copy that the compiler made, whose arguments may have moved: "
			"they are left out\n",
			match->name);
	r = add_point(planning, match, &spot, false);
	if (r == 0 && probe_spec_has_return(spec))
		r = add_point(planning, match, &spot, true);
	return r;
}

static bool is_pattern(const struct probe_spec *spec)
{
	return spec->function[strcspn(spec->function, "*?[")] &&
	       !strstr(spec->function, "operator");
}

/* Functions that differ in more than what the compiler made of them. */
static size_t n_different(const struct function_search *search)
{
	size_t n = 0;

	for (size_t i = 0; i < search->n_matches; i++) {
		bool is_new = !search->matches[i].is_clone;

		for (size_t j = 0; j < i && is_new; j++)
			is_new = strcmp(search->matches[i].name, search->matches[j].name) != 0;
		n += is_new;
	}
	return n;
}

static void add_candidates(struct buffer *text, const struct function_search *search)
{
	for (size_t i = 0; i < search->n_matches && i < CANDIDATES_SHOWN; i++)
		buffer_printf(text, "%s%s", i ? ", " : "", search->matches[i].name);
	if (search->n_matches > CANDIDATES_SHOWN)
		buffer_printf(text, ", … %zu in all", search->n_matches);
}

static int error_ambiguous(const struct planning *planning, struct error *err)
{
	struct buffer text = BUFFER_INIT;
	int r;

	add_candidates(&text, &planning->search);
	r = error_set(err, -EINVAL,
		      "%s means several functions of %s: %s (write one of them whole)",
		      planning->spec->function, planning->file->path, buffer_string(&text));
	buffer_release(&text);
	return r;
}

/* The name of an ifunc: what it chooses from is named after it, if it has names. */
static int error_resolver(const struct planning *planning, struct error *err)
{
	struct function_search others;
	struct buffer text = BUFFER_INIT;
	char *pattern;
	int r;

	if (asprintf(&pattern, "__%s_*", planning->spec->function) < 0)
		return error_set_no_memory(err);
	if (probe_file_search(planning->file, &others, pattern) == 0) {
		add_candidates(&text, &others);
		function_search_release(&others);
	}
	free(pattern);
	r = error_set(
		err, -EINVAL,
		"%s is chosen among several functions when %s is loaded, and only they can be "
		"probed: %s",
		planning->spec->function, planning->file->path,
		text.size ? buffer_string(&text)
			  : "their names are not in the file (install its debug symbols)");
	buffer_release(&text);
	return r;
}

static int check_matches(struct planning *planning, struct error *err)
{
	struct function_search *search = &planning->search;
	const struct probe_spec *spec = planning->spec;

	if (!search->n_matches)
		return probe_file_error_missing(planning->file, search, spec->function, err);
	if (!is_pattern(spec) && n_different(search) > 1)
		return error_ambiguous(planning, err);
	if (!is_pattern(spec) && search->matches[0].is_resolver)
		return error_resolver(planning, err);
	if (planning->plan->n_probes + search->n_matches > PROBE_PLAN_MAX_FUNCTIONS)
		return error_set(err, -EINVAL,
				 "%s fits %zu functions of %s; there can be %d in all (narrow the "
				 "pattern)",
				 spec->function, search->n_matches, planning->file->path,
				 PROBE_PLAN_MAX_FUNCTIONS);
	if (probe_spec_has_return(spec) && planning->file->is_go)
		return error_set(err, -EINVAL,
				 "%s is a Go program, which moves its stacks: the kernel's return "
				 "probes would crash it (use --mark-function without %%return)",
				 planning->file->path);
	return 0;
}

/* "f(int, char*)" may be the one of several, or the types to fetch, or both. */
static int find_functions(struct planning *planning, struct error *err)
{
	const struct probe_spec *spec = planning->spec;
	int r = probe_file_search(planning->file, &planning->search, spec->function);
	bool is_signature = false;

	if (r == 0 && spec->signature && n_different(&planning->search) != 1) {
		struct function_search whole;

		r = probe_file_search(planning->file, &whole, spec->signature);
		is_signature = r == 0 && whole.n_matches;
		if (is_signature) {
			function_search_release(&planning->search);
			planning->search = whole;
		} else if (r == 0) {
			function_search_release(&whole);
		}
	}
	if (r < 0)
		return error_set_no_memory(err);
	r = check_matches(planning, err);
	if (r == 0 && spec->signature && !spec->has_arguments && !is_signature)
		r = error_set(err, -EINVAL, "%s: %s", spec->signature, spec->types.message);
	return r;
}

static int plan_spec(struct probe_plan *plan, const struct probe_spec *spec,
		     const struct probe_request *request, struct error *err)
{
	struct planning planning = { .plan = plan, .spec = spec };
	size_t n_stepped = 0;
	int r = probe_file_open(&planning.file, request, spec->library, err);

	if (r == 0)
		r = find_functions(&planning, err);
	for (size_t i = 0; r == 0 && i < planning.search.n_matches; i++) {
		if (planning.search.matches[i].is_resolver)
			continue;
		if (add_function(&planning, &planning.search.matches[i]) < 0)
			r = error_set_no_memory(err);
		else
			n_stepped += plan->probes[plan->n_probes - 1].is_stepped;
	}
	if (r == 0 && n_stepped && planning.search.n_matches == 1)
		buffer_printf(&plan->remarks,
			      "%s begins with an instruction that the kernel must step over: each "
			      "call costs some 15 µs\n",
			      spec->function);
	else if (r == 0 && n_stepped)
		buffer_printf(
			&plan->remarks,
			"%zu of the functions that %s fits begin with an instruction that the "
			"kernel must step over: each call of them costs some 15 µs\n",
			n_stepped, spec->function);
	if (r == 0 && planning.search.part)
		buffer_printf(
			&plan->remarks,
			"%s: some functions have its beginning inlined and go on in %s: their "
			"calls are not seen (trace that, too, or build with "
			"-fno-partial-inlining)\n",
			spec->function, planning.search.part);
	if (r == 0 && planning.file->is_cxx && probe_spec_has_return(spec))
		buffer_printf(
			&plan->remarks,
			"%s: an exception that leaves it would end the program, since nothing "
			"can unwind the kernel's return probes (--mark-function without %%return "
			"is safe)\n",
			spec->function);
	function_search_release(&planning.search);
	probe_file_close(planning.file);
	return r;
}

static int parse(struct probe_plan *plan, const char *const *texts, size_t n_texts, bool is_scope,
		 struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_texts; i++) {
		struct probe_spec *spec = &plan->specs[plan->n_specs];

		*spec = (struct probe_spec){ .is_scope = is_scope };
		r = probe_spec_parse(spec, is_scope ? "--trace-function" : "--mark-function",
				     texts[i], err);
		plan->n_specs += r == 0;
	}
	return r;
}

int probe_plan_make(struct probe_plan *plan, const struct probe_request *request, struct error *err)
{
	const size_t n_specs = request->n_marks + request->n_traces;
	int r;

	*plan = (struct probe_plan){ .remarks = BUFFER_INIT };
	if (!n_specs)
		return 0;
	plan->specs = calloc(n_specs, sizeof(*plan->specs));
	r = plan->specs ? 0 : error_set_no_memory(err);
	if (r == 0)
		r = parse(plan, request->marks, request->n_marks, false, err);
	if (r == 0)
		r = parse(plan, request->traces, request->n_traces, true, err);
	for (size_t i = 0; r == 0 && i < plan->n_specs; i++)
		r = plan_spec(plan, &plan->specs[i], request, err);
	if (r < 0)
		probe_plan_release(plan);
	return r;
}

void probe_plan_release(struct probe_plan *plan)
{
	for (size_t i = 0; i < plan->n_specs; i++)
		probe_spec_release(&plan->specs[i]);
	for (size_t i = 0; i < plan->n_probes; i++) {
		free(plan->probes[i].name);
		free(plan->probes[i].module);
	}
	for (size_t i = 0; i < plan->n_points; i++) {
		free((void *)(uintptr_t)plan->points[i].path);
		free((void *)(uintptr_t)plan->points[i].fields);
	}
	free(plan->specs);
	free(plan->probes);
	free(plan->points);
	free(plan->owners);
	buffer_release(&plan->remarks);
	*plan = (struct probe_plan){ .remarks = BUFFER_INIT };
}
