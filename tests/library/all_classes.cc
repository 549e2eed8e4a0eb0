/* Every class once; PLAIN: the same program as if it had never heard of marks. */
#include <stdexcept>
#include <string>
#ifdef PLAIN
#define MARK(...)
#else
#include "tsprof.hpp"
#define MARK(...) __VA_ARGS__
static tsprof::scope_site parsing("parse", "io");
static tsprof::scope_site sampled("sampled", nullptr, 10);
static tsprof::milestone loaded("loaded");
static tsprof::counter depth("depth");
static tsprof::snapshot state("state");
#endif

int all_classes(int n, char **texts);

int all_classes(int n, char **texts)
{
	MARK(tsprof::scope scope(parsing);)
	MARK(tsprof::scope another(sampled);)
	MARK(TSPROF_SCOPE("macro");)
	MARK(TSPROF_SCOPE_FULL("full");)
	MARK(depth = n;)
	MARK(depth = 2.5;)
	MARK(loaded();)
	MARK(loaded.with("n=%d", n);)
	MARK(state(texts, sizeof(texts));)
	if (n == 7)
		throw std::runtime_error("seven");
	MARK(scope.end();)
	return n > 3 && texts[0][0];
}

#ifndef PLAIN
/* Apart, as a std::string of theirs may leave something. */
int named_classes(const std::string &name);

int named_classes(const std::string &name)
{
	tsprof::named_scope scope(name);
	tsprof::recording recording(name);

	state.text(name);
	return recording.result();
}
#endif
