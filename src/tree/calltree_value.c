/* What the samples below a node of the tree add up to. */
#include "tree/calltree.h"

#include <math.h>

struct calltree_value calltree_value_of(const struct sample *sample)
{
	const bool is_wait = sample_is_wait(sample);
	const bool is_row = sample->count && !is_wait;
	const double weight_ns = (double)sample->weight_ns;

	return (struct calltree_value){
		.weight_ns = sample->weight_ns,
		.n_ticks = sample->count,
		.n_rows = is_row ? 1 : 0,
		.waited_ns = is_wait ? sample->weight_ns : 0,
		.squares_ns2 = is_row ? weight_ns * weight_ns : 0,
	};
}

void calltree_value_add(struct calltree_value *value, const struct calltree_value *more)
{
	value->weight_ns += more->weight_ns;
	value->n_ticks += more->n_ticks;
	value->n_rows += more->n_rows;
	value->waited_ns += more->waited_ns;
	value->squares_ns2 += more->squares_ns2;
}

double calltree_value_effective_rows(const struct calltree_value *value)
{
	const double ran_ns = (double)(value->weight_ns - value->waited_ns);

	/* Weight without a row is in the sum, so that the quotient may be too large. */
	if (!(value->squares_ns2 > 0))
		return (double)value->n_rows;
	return fmin((double)value->n_rows, ran_ns * ran_ns / value->squares_ns2);
}
