// C++ exceptions, thrown and caught here or on the way through C. Built twice,
// as tls.c: throw_early.so is part of the image, throw_late.so is not.
#include <new>
#include <stdexcept>
#include <string>

namespace {

struct counter {
	int &count;
	~counter() { count++; }
};

[[gnu::noinline]] int dive(int depth, int &unwound)
{
	counter c{unwound};

	if (depth == 0)
		throw std::runtime_error("bottom");
	return dive(depth - 1, unwound) + 1;
}

}

// The number of frames that were unwound, or less than 0.
extern "C" int throw_and_catch(int depth)
{
	int unwound = 0;

	try {
		dive(depth, unwound);
	} catch (const std::exception &e) {
		return std::string(e.what()) == "bottom" ? unwound : -1;
	}
	return -2;
}

extern "C" int throw_bad_alloc(void)
{
	try {
		return ::operator new(~std::size_t(0) / 2) == nullptr;
	} catch (const std::bad_alloc &) {
		return 42;
	}
}

// Calls back into Python, which may call throw_and_catch again.
extern "C" int throw_around(int (*call)(int), int value)
{
	int unwound = 0;

	try {
		int result = call(value);

		if (result)
			dive(result, unwound);
	} catch (const std::exception &) {
		return unwound;
	}
	return 0;
}
