/*
 * C++ exceptions thrown through frames with destructors, in two threads: the
 * runtime unwinds with the loader's tables while ticks arrive.
 *
 *	exceptions [SECONDS]
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace
{
constexpr int kStatus = 23;
constexpr int kFailed = 99;

struct counted {
	explicit counted(int &count) : count_(count) { count_++; }
	~counted() { count_--; }
	counted(const counted &) = delete;
	counted &operator=(const counted &) = delete;

      private:
	int &count_;
};

__attribute__((noinline)) void throw_at(int depth, int &count)
{
	counted here(count);
	auto text = std::make_unique<std::string>("depth " + std::to_string(depth));

	if (depth > 0)
		throw_at(depth - 1, count);
	else
		throw std::runtime_error(*text);
}

long round_of_throws()
{
	long sum = 0;

	for (int depth = 0; depth < 40; depth++) {
		int count = 0;

		try {
			try {
				throw_at(depth, count);
			} catch (const std::runtime_error &) {
				throw;
			}
		} catch (const std::exception &error) {
			sum += depth + static_cast<long>(std::string(error.what()).size());
		}
		if (count != 0) {
			std::fprintf(stderr, "torture: %d destructors did not run\n", count);
			std::_Exit(kFailed);
		}
	}
	return sum;
}
} // namespace

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
	const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
	std::vector<std::thread> threads;

	for (int i = 0; i < 2; i++)
		threads.emplace_back([end] {
			do {
				if (round_of_throws() != 1060) {
					std::fprintf(stderr, "torture: another sum\n");
					std::_Exit(kFailed);
				}
			} while (std::chrono::steady_clock::now() < end);
		});
	for (auto &thread : threads)
		thread.join();
	std::printf("every round: %ld\n", round_of_throws());
	return kStatus;
}
