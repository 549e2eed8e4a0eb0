#ifndef TSPROF_HPP
#define TSPROF_HPP

/*
 * tsprof for C++11 and later: the places of tsprof.h as objects.
 *
 *	static tsprof::scope_site parsing("parse", "io");
 *	static tsprof::counter depth("queue");
 *
 *	void parse(const input &input)
 *	{
 *		tsprof::scope scope(parsing);	ends with its block, by an exception, too
 *		depth = input.size();
 *	}
 *
 * Sites, milestones, counters and snapshots are static and take literals: they are
 * initialised at compile time, and there is one of each name and place.  Costs, threads, signals,
 * TSPROF_DISABLE and TSPROF_STATIC are as in tsprof.h, which has macros for the same.
 * Only tsprof::named_scope and tsprof::recording need the library to be linked.
 */
#if !defined(__cplusplus) || __cplusplus < 201103L
#error "tsprof.hpp needs C++11"
#endif

#include <exception>
#include <string>

#include "tsprof.h"
#include "tsprof_library.h"

namespace tsprof
{

/* What is static: a name at a place. */
class site
{
public:
	site(const site &) = delete;
	site &operator=(const site &) = delete;

protected:
	constexpr site(const char *name, const char *category, tsprof_kind kind,
		       unsigned int sample_rate)
		: site_{ name, category, nullptr, 0, kind, sample_rate, 0, 0 }
	{
	}

	tsprof_site site_;
};

/* An instant: loaded(), or loaded.with("rows=%d", n). */
class milestone : private site
{
public:
	explicit constexpr milestone(const char *name)
		: site(name, nullptr, TSPROF_KIND_MILESTONE, 1)
	{
	}

	void operator()()
	{
		if (TSPROF_IS_ON_())
			tsprof_put_(&site_, TSPROF_WHAT_MILESTONE);
	}

	__attribute__((format(printf, 2, 3))) void with(const char *format, ...)
	{
		if (TSPROF_IS_ON_()) {
			va_list values;

			tsprof_put_(&site_, TSPROF_WHAT_MILESTONE);
			va_start(values, format);
			tsprof_text_list_(&site_, TSPROF_WHAT_DATA, format, values);
			va_end(values);
		}
	}
};

/* A number as it is now: depth = 3. */
class counter : private site
{
public:
	explicit constexpr counter(const char *name) : site(name, nullptr, TSPROF_KIND_COUNTER, 1)
	{
	}

	template <typename Number> counter &operator=(Number value)
	{
		const double number = static_cast<double>(value);

		if (TSPROF_IS_ON_())
			tsprof_bytes_(&site_, TSPROF_WHAT_COUNTER, &number, sizeof(number));
		return *this;
	}
};

/* A copy of bytes as they are now, or of text. */
class snapshot : private site
{
public:
	explicit constexpr snapshot(const char *name)
		: site(name, nullptr, TSPROF_KIND_SNAPSHOT, 1)
	{
	}

	void operator()(const void *bytes, std::size_t size)
	{
		if (TSPROF_IS_ON_())
			tsprof_bytes_(&site_, TSPROF_WHAT_SNAPSHOT, bytes, size);
	}

	void text(const std::string &text)
	{
		if (TSPROF_IS_ON_())
			tsprof_bytes_(&site_, TSPROF_WHAT_TEXT_SNAPSHOT, text.data(), text.size());
	}
};

class scope;

/* What scopes have in common; of several calls one in `sample_rate` is recorded. */
class scope_site : private site
{
public:
	explicit constexpr scope_site(const char *name, const char *category = nullptr,
				      unsigned int sample_rate = 1)
		: site(name, category, TSPROF_KIND_SCOPE, sample_rate)
	{
	}

private:
	friend class scope;
	tsprof_site *raw()
	{
		return &site_;
	}
};

/* How many exceptions are on their way: one more at a scope's end is what ends it. */
inline int exceptions_on_their_way()
{
#if defined(__cpp_lib_uncaught_exceptions)
	return std::uncaught_exceptions();
#else
	return std::uncaught_exception() ? 1 : 0;
#endif
}

/* From here to the end of the block; an exception that ends it is its error. */
class scope
{
public:
	explicit scope(scope_site &site) : site_(nullptr), n_exceptions_(0)
	{
		if (TSPROF_IS_ON_() && tsprof_is_sampled_(site.raw())) {
			site_ = site.raw();
			n_exceptions_ = exceptions_on_their_way();
			tsprof_put_(site_, TSPROF_WHAT_BEGIN);
		}
	}

	scope(const scope &) = delete;
	scope &operator=(const scope &) = delete;

	~scope()
	{
		end();
	}

	/* Now, instead of with the block. */
	void end()
	{
		if (TSPROF_IS_LEFT_ && site_) {
			if (exceptions_on_their_way() > n_exceptions_)
				tsprof_scope_error("an exception");
			tsprof_put_(site_, TSPROF_WHAT_END);
			site_ = nullptr;
		}
	}

private:
	tsprof_site *site_; /* null: this call is not recorded, or has ended */
	int n_exceptions_;
};

/* A scope whose name is known at run time only.  The library's. */
class named_scope
{
public:
	explicit named_scope(const std::string &name)
		: name_(tsprof_is_on() ? name : std::string()), is_open_(tsprof_is_on() != 0)
	{
		if (is_open_)
			tsprof_scope_begin(name_.c_str());
	}

	named_scope(const named_scope &) = delete;
	named_scope &operator=(const named_scope &) = delete;

	~named_scope()
	{
		if (is_open_)
			tsprof_scope_end(name_.c_str());
	}

private:
	std::string name_;
	bool is_open_;
};

/* From here to the end of the block this program is recorded.  The library's. */
class recording
{
public:
	explicit recording(const std::string &path) : result_(tsprof_start(path.c_str()))
	{
	}

	recording(const recording &) = delete;
	recording &operator=(const recording &) = delete;

	~recording()
	{
		if (result_ == 0)
			static_cast<void>(tsprof_stop());
	}

	/* As tsprof_start: 0 or a negative errno; tsprof_failure() says why. */
	int result() const
	{
		return result_;
	}

private:
	int result_;
};

} /* namespace tsprof */

#endif
