/* Both ways to a rule, side by side. */
#include "cfi_plain_fixture.h"

#include "unit.h"
#include "unwind/cfi_plain.h"
#include "unwind/cfi_rows.h"

bool cfi_fixture_general_rule(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch,
			      struct cfi_rule *ret_rule)
{
	struct cfi_fde unprepared = *fde;
	struct cfi_row row;

	unprepared.initial = NULL;
	if (cfi_row_at(&unprepared, vaddr, arch, &row) < 0)
		return false;
	*ret_rule = cfi_rule_pack(&row, arch);
	return true;
}

static void assert_rule(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch,
			const struct cfi_rule *rule)
{
	struct cfi_rule wanted;

	if (!cfi_fixture_general_rule(fde, vaddr, arch, &wanted))
		fail_msg("a rule without a row at 0x%llx", (unsigned long long)vaddr);
	if (memcmp(rule, &wanted, sizeof(*rule)) != 0)
		fail_msg("at 0x%llx kind %d, cfa %d, fp %d, link %d, flags %d "
			 "instead of kind %d, cfa %d, fp %d, link %d, flags %d",
			 (unsigned long long)vaddr, rule->kind, rule->cfa_words, rule->fp_words,
			 rule->link_words, rule->flags, wanted.kind, wanted.cfa_words,
			 wanted.fp_words, wanted.link_words, wanted.flags);
}

bool cfi_fixture_is_plain(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch)
{
	struct cfi_span span;

	memset(&span, 0xa5, sizeof(span)); /* all of it has to be written */
	if (!cfi_plain_span(fde, vaddr, arch, &span))
		return false;
	assert_rule(fde, vaddr, arch, &span.rule);
	assert_in_range(vaddr, span.start, span.end - 1);
	assert_in_range(span.start, fde->start, fde->end - 1);
	assert_in_range(span.end, fde->start + 1, fde->end);
	assert_rule(fde, span.start, arch, &span.rule);
	assert_rule(fde, span.end - 1, arch, &span.rule);
	return true;
}
