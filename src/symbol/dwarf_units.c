/* One pass over the units' top DIEs, nothing below them. */
#include "symbol/dwarf_units.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

/* Ranges of different units hardly overlap; a search looks at this many. */
enum { DWARF_UNITS_MAX_OVERLAP = 16 };

static int units_add_ranges(struct dwarf_units *units, Dwarf_Die *unit)
{
	const Dwarf_Off offset = dwarf_dieoffset(unit);
	ptrdiff_t at = 0;
	Dwarf_Addr base;
	Dwarf_Addr low;
	Dwarf_Addr high;

	while (units->n_ranges < DWARF_UNITS_MAX_RANGES &&
	       (at = dwarf_ranges(unit, at, &base, &low, &high)) > 0) {
		void *grown;

		if (low < units->first_vaddr || low >= high)
			continue;
		grown = array_grown(units->ranges, &units->capacity, units->n_ranges + 1,
				    sizeof(*units->ranges));
		if (!grown)
			return -ENOMEM;
		units->ranges = grown;
		units->ranges[units->n_ranges++] =
			(struct dwarf_unit_range){ .low = low, .high = high, .unit = offset };
	}
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct dwarf_unit_range *left = a;
	const struct dwarf_unit_range *right = b;

	return (left->low > right->low) - (left->low < right->low);
}

int dwarf_units_load(struct dwarf_units *units, Dwarf *dwarf, uint64_t first_vaddr)
{
	Dwarf_CU *cu = NULL;
	uint8_t type;
	Dwarf_Die die;
	size_t n_aranges;

	*units = (struct dwarf_units){ .first_vaddr = first_vaddr };
	while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
		if (type != DW_UT_compile && type != DW_UT_skeleton)
			continue;
		if (units_add_ranges(units, &die) < 0) {
			dwarf_units_release(units);
			return -ENOMEM;
		}
	}
	if (units->n_ranges > 0)
		qsort(units->ranges, units->n_ranges, sizeof(*units->ranges), compare_ranges);
	if (dwarf_getaranges(dwarf, &units->aranges, &n_aranges) != 0)
		units->aranges = NULL;
	return 0;
}

void dwarf_units_release(struct dwarf_units *units)
{
	free(units->ranges);
	*units = (struct dwarf_units){ 0 };
}

bool dwarf_units_find(const struct dwarf_units *units, uint64_t vaddr, Dwarf_Off *ret_unit)
{
	size_t low = 0;
	size_t high = units->n_ranges;
	Dwarf_Arange *arange;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (units->ranges[middle].low <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; i < DWARF_UNITS_MAX_OVERLAP && low > 0; i++) {
		const struct dwarf_unit_range *range = &units->ranges[--low];

		if (vaddr < range->high) {
			*ret_unit = range->unit;
			return true;
		}
	}
	if (!units->aranges)
		return false;
	arange = dwarf_getarange_addr(units->aranges, vaddr);
	return arange && dwarf_getarangeinfo(arange, NULL, NULL, ret_unit) == 0;
}
