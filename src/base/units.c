/* Numbers as people read and type them. */
#include "base/units.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	double factor;
};

static const char *units_scaled(char text[UNITS_TEXT_BYTES], double value, const struct unit *units,
				size_t n_units)
{
	const struct unit *unit = &units[0];
	int decimals;

	for (size_t i = 1; i < n_units; i++)
		if (value / units[i].factor >= 0.9995)
			unit = &units[i];
	value /= unit->factor;
	decimals = unit == &units[0] || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
	(void)snprintf(text, UNITS_TEXT_BYTES, "%.*f %s", decimals, value, unit->name);
	return text;
}

const char *units_duration(char text[UNITS_TEXT_BYTES], uint64_t duration_ns)
{
	static const struct unit units[] = {
		{ "ns", 1 }, { "µs", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }
	};

	return units_scaled(text, (double)duration_ns, units, sizeof(units) / sizeof(units[0]));
}

const char *units_bytes(char text[UNITS_TEXT_BYTES], uint64_t bytes)
{
	static const struct unit units[] = {
		{ "B", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 }
	};

	return units_scaled(text, (double)bytes, units, sizeof(units) / sizeof(units[0]));
}

const char *units_count(char text[UNITS_TEXT_BYTES], uint64_t count)
{
	char digits[UNITS_TEXT_BYTES];
	const int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
	char *out = text;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
	return text;
}

/* A non-negative number and one of the units; "" as a unit's name means none was typed. */
static int units_parse(uint64_t *ret_value, const char *text, const struct unit *units,
		       size_t n_units, const char *expected, struct error *err)
{
	char *rest;
	double value;

	if ((*text >= '0' && *text <= '9') || *text == '.') {
		errno = 0;
		value = strtod(text, &rest);
		for (size_t i = 0; i < n_units && rest != text; i++) {
			if (strcasecmp(rest, units[i].name) != 0)
				continue;
			value *= units[i].factor;
			if (!(value < 9e18))
				break;
			*ret_value = (uint64_t)llround(value);
			return 0;
		}
	}
	return error_set(err, -EINVAL, "'%s' is not %s", text, expected);
}

int units_parse_duration(uint64_t *ret_ns, const char *text, struct error *err)
{
	static const struct unit units[] = { { "", 1e9 },   { "s", 1e9 },   { "ms", 1e6 },
					     { "us", 1e3 }, { "µs", 1e3 },  { "ns", 1 },
					     { "m", 60e9 }, { "min", 60e9 } };

	return units_parse(ret_ns, text, units, sizeof(units) / sizeof(units[0]),
			   "a time (like 1.5, 300ms, 2s)", err);
}

int units_parse_bytes(uint64_t *ret_bytes, const char *text, struct error *err)
{
	static const struct unit units[] = { { "", 1 },		  { "b", 1 },
					     { "k", 1024 },	  { "kib", 1024 },
					     { "m", 1048576 },	  { "mib", 1048576 },
					     { "g", 1073741824 }, { "gib", 1073741824 } };

	return units_parse(ret_bytes, text, units, sizeof(units) / sizeof(units[0]),
			   "a size (like 65528, 32k, 1M)", err);
}

int units_parse_rate(uint64_t *ret_hz, const char *text, struct error *err)
{
	static const struct unit units[] = {
		{ "", 1 }, { "hz", 1 }, { "k", 1000 }, { "khz", 1000 }
	};

	return units_parse(ret_hz, text, units, sizeof(units) / sizeof(units[0]),
			   "a rate in Hz (like 997, 4k)", err);
}

int units_parse_count(uint64_t *ret_count, const char *text, struct error *err)
{
	static const struct unit units[] = { { "", 1 } };

	if (strspn(text, "0123456789") != strlen(text))
		return error_set(err, -EINVAL, "'%s' is not a whole number", text);
	return units_parse(ret_count, text, units, 1, "a whole number", err);
}
