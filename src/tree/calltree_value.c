/* What the samples below a node of the tree add up to. */
#include "tree/calltree.h"

struct calltree_value calltree_value_of(const struct sample *sample)
{
	const bool is_wait = sample_is_wait(sample);

	return (struct calltree_value){
		.weight_ns = sample->weight_ns,
		.n_ticks = sample->count,
		.n_rows = sample->count && !is_wait ? 1 : 0,
		.waited_ns = is_wait ? sample->weight_ns : 0,
	};
}

void calltree_value_add(struct calltree_value *value, const struct calltree_value *more)
{
	value->weight_ns += more->weight_ns;
	value->n_ticks += more->n_ticks;
	value->n_rows += more->n_rows;
	value->waited_ns += more->waited_ns;
}
