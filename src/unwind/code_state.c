/* Registers and words of memory, as long as only constants are added to addresses. */
#include "unwind/code_state.h"

enum { MOST_STACK_BYTES = 1 << 20 };

void code_state_init(struct code_state *state, uint8_t sp)
{
	state->n_stores = 0;
	state->last_call = 0;
	state->sp = sp;
	for (uint8_t i = 0; i < CODE_REGISTERS; i++)
		state->registers[i] = (struct code_value){ .kind = CODE_SUM, .number = i };
}

struct code_value code_state_sum(const struct code_state *state, uint8_t number, int64_t offset)
{
	struct code_value value = state->registers[number];

	offset += value.kind == CODE_SUM ? value.offset : value.addend;
	if (offset > MOST_STACK_BYTES || offset < -MOST_STACK_BYTES)
		value.kind = CODE_UNKNOWN;
	else if (value.kind == CODE_SUM)
		value.offset = (int32_t)offset;
	else
		value.addend = (int32_t)offset;
	return value;
}

/* How many come before it; n_stores when there is none. */
static size_t find_store(const struct code_state *state, struct code_value address)
{
	size_t i = 0;

	while (i < state->n_stores && !code_value_is_same(state->stores[i].address, address))
		i++;
	return i;
}

bool code_state_is_written(const struct code_state *state, struct code_value address)
{
	return find_store(state, address) < state->n_stores;
}

struct code_value code_state_load(const struct code_state *state, struct code_value address)
{
	const size_t at = find_store(state, address);

	if (at < state->n_stores)
		return state->stores[at].value;
	/* Below the stack there was nothing yet. */
	if (address.kind != CODE_SUM || (address.number == state->sp && address.offset < 0))
		return (struct code_value){ .kind = CODE_UNKNOWN };
	address.kind = CODE_WORD;
	return address;
}

bool code_state_store(struct code_state *state, struct code_value address, struct code_value value)
{
	const size_t at = find_store(state, address);

	if (address.kind == CODE_UNKNOWN)
		return true;
	if (at == CODE_STORES_MAX)
		return false;
	state->stores[at] = (struct code_store){ address, value };
	state->n_stores += at == state->n_stores;
	return true;
}
