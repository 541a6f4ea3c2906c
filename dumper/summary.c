/*
 * The summary of a build; see summary.h. Errors of the stream are the
 * caller's to check.
 */
#include "summary.h"

#include "build.h"
#include "identity.h"
#include "json.h"

static double megabytes(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

static void print_guards(const struct build_result *result, FILE *stream)
{
	const char *between = "";

	fputs("guards    ", stream);
	for (uint32_t kind = 0; kind < BUILD_GUARD_KINDS; kind++) {
		if (!result->guards[kind])
			continue;
		fprintf(stream, "%s%zu %s", between, result->guards[kind],
			identity_kind_name(kind));
		between = ", ";
	}
	if (result->variables)
		fprintf(stream, "%s%zu variable%s", between, result->variables,
			result->variables > 1 ? "s" : "");
	putc('\n', stream);
}

void summary_print(const struct build_result *result, FILE *stream)
{
	fprintf(stream, "image     %s\n", result->image);
	fprintf(stream, "python    %s (%s), %zu modules\n", result->python,
		result->version, result->modules);
	fprintf(stream, "size      %.1f MB, %.1f MB mapped\n",
		megabytes(result->file_size), megabytes(result->mapped));
	fprintf(stream, "segments  %zu, %zu of them zero; %zu reserves, %zu open files\n",
		result->segments, result->anonymous, result->reserves, result->files);
	print_guards(result, stream);
	for (size_t i = 0; i < result->needs.count; i++)
		fprintf(stream, "needs     %s\n", result->needs.items[i]);
	fprintf(stream, "hot       %zu pages in %zu ranges\n", result->hot_pages,
		result->hot_ranges);
	if (result->packed)
		fprintf(stream, "packed    %llu objects, %llu kB\n",
			(unsigned long long)result->packed,
			(unsigned long long)result->packed_size >> 10);
	for (size_t i = 0; i < result->warnings.count; i++)
		fprintf(stream, "warning   %s\n", result->warnings.items[i]);
	fprintf(stream, "built in  %.1f s\n", result->seconds);
	if (result->times.image > 0)
		fprintf(stream, "start     %.2f ms, python3 %.1f ms: %.0f times as fast\n",
			result->times.image / 1e3, result->times.python / 1e3,
			result->times.python / result->times.image);
	if (result->times.command_image > 0)
		fprintf(stream, "command   %.2f ms, python3 %.1f ms: %.0f times as fast\n",
			result->times.command_image / 1e3, result->times.command_python / 1e3,
			result->times.command_python / result->times.command_image);
}

void summary_warn(const struct build_result *result, FILE *stream)
{
	for (size_t i = 0; i < result->warnings.count; i++)
		fprintf(stream, "pydump: warning: %s\n", result->warnings.items[i]);
}

void summary_print_json(const struct build_result *result, FILE *stream)
{
	struct json json = {.stream = stream};

	json_open(&json, NULL, '{');
	json_string(&json, "image", result->image);
	json_string(&json, "python", result->python);
	json_string(&json, "version", result->version);
	json_number(&json, "modules", result->modules);
	json_number(&json, "file_size", result->file_size);
	json_number(&json, "mapped", result->mapped);
	json_number(&json, "segments", result->segments);
	json_number(&json, "zero_segments", result->anonymous);
	json_number(&json, "reserves", result->reserves);
	json_number(&json, "files", result->files);
	json_open(&json, "guards", '{');
	for (uint32_t kind = 1; kind < BUILD_GUARD_KINDS; kind++)
		json_number(&json, identity_kind_name(kind), result->guards[kind]);
	json_number(&json, "variable", result->variables);
	json_close(&json, '}');
	json_open(&json, "needs", '[');
	for (size_t i = 0; i < result->needs.count; i++)
		json_string(&json, NULL, result->needs.items[i]);
	json_close(&json, ']');
	json_number(&json, "hot_ranges", result->hot_ranges);
	json_number(&json, "hot_pages", result->hot_pages);
	if (result->packed) {
		json_number(&json, "packed_objects", result->packed);
		json_number(&json, "packed_size", result->packed_size);
	}
	json_open(&json, "warnings", '[');
	for (size_t i = 0; i < result->warnings.count; i++)
		json_string(&json, NULL, result->warnings.items[i]);
	json_close(&json, ']');
	json_number(&json, "build_ms", (uint64_t)(result->seconds * 1e3));
	if (result->times.image > 0) {
		json_number(&json, "start_us", (uint64_t)result->times.image);
		json_number(&json, "python_us", (uint64_t)result->times.python);
	}
	if (result->times.command_image > 0) {
		json_number(&json, "command_us", (uint64_t)result->times.command_image);
		json_number(&json, "command_python_us",
			    (uint64_t)result->times.command_python);
	}
	json_close(&json, '}');
}
