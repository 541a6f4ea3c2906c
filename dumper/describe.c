/*
 * The lines of an image's report note; see describe.h.
 */
#include "describe.h"

#include "report.h"
#include "spec.h"
#include "variables.h"

/* As the host reports them, but for what pydump decided. */
static void describe_variables(const struct variables *variables, struct list *out)
{
	if (variables->whole)
		list_print(out, "variable=%c-s *", variables->whole_guard ? 'g' : '-');
	if (variables->whole)
		list_print(out, "reader=%s", variables->whole);
	for (size_t i = 0; i < variables->count; i++) {
		const struct variable *variable = &variables->items[i];

		list_print(out, "variable=%c%c%c %s", variable->guard ? 'g' : '-',
			   variable->language ? '-' : 'e', variable->was_set ? 's' : '-',
			   variable->name);
		list_print(out, "reader=%s", variable->reader ? variable->reader : "");
	}
}

void describe(const struct spec *spec, const struct report *report,
	      const struct variables *variables, struct list *out)
{
	list_add(out, "pydump=" VERSION);
	list_print(out, "version=%s", report->version);
	list_print(out, "executable=%s", report->executable ? report->executable : "");
	list_print(out, "prefix=%s", report->prefix ? report->prefix : "");
	list_print(out, "freshness=%s", spec_freshness_name(spec->freshness));
	list_print(out, "io=%s", spec_io_name(spec->io));
	list_print(out, "immortal=%s", report->immortal ? "yes" : "no");
	for (size_t i = 0; i < spec->options.count; i++)
		list_print(out, "option=%s", spec->options.items[i]);
	if (spec->entry)
		list_print(out, "entry=%s", spec->entry);
	for (size_t i = 0; i < spec->command.count; i++)
		list_print(out, "command=%s", spec->command.items[i]);
	for (size_t i = 0; i < spec->entry_words.count; i++)
		list_print(out, "entry_word=%s", spec->entry_words.items[i]);
	for (size_t i = 0; i < spec->imports.count; i++)
		list_print(out, "import=%s", spec->imports.items[i]);
	for (size_t i = 0; i < spec->warmups.count; i++)
		list_print(out, "warmup=%s", spec->warmups.items[i]);
	for (size_t i = 0; i < report->count; i++)
		list_print(out, "module=%s", report->modules[i].name);
	for (size_t i = 0; i < report->needs.count; i++)
		list_print(out, "needs=%s", report->needs.items[i]);
	describe_variables(variables, out);
}
