/*
 * What marks look like in C++: scopes end with their blocks, by exceptions too.
 *
 *	c++ -O2 -g scopes.cc -o scopes
 *	tsprof record -- ./scopes 3 x 14
 *	tsprof report --scopes --errors
 */
#include <cstdio>
#include <stdexcept>
#include <string>

#include <tsprof.hpp>

static tsprof::scope_site parsing("parse", "input");
static tsprof::scope_site adding("add");
static tsprof::counter sum_now("sum");
static tsprof::milestone finished("finished");

static long parse(const std::string &text)
{
	tsprof::scope scope(parsing);
	std::size_t end = 0;
	const long number = std::stol(text, &end); /* may throw, which is the scope's error */

	if (end != text.size())
		throw std::invalid_argument(text);
	return number;
}

int main(int argc, char **argv)
{
	long sum = 0;

	for (int i = 1; i < argc; i++) {
		tsprof::scope scope(adding);

		try {
			sum += parse(argv[i]);
			sum_now = sum;
		} catch (const std::exception &) {
			std::printf("%s is no number\n", argv[i]);
		}
	}
	finished.with("sum=%ld", sum);
	std::printf("%ld\n", sum);
	return 0;
}
