/*
 * The first code after mapping, in the image itself. Decides on a stack of the
 * kernel's, before anything in the image's memory is changed, whether the
 * restore can be done; then does it and calls the host's resume().
 *
 * Until repair_process() has set the thread control block there is no libc, no
 * errno and no thread-local storage.
 */
#include "enter.h"

#include "cmdline.h"
#include "comm.h"
#include "environ.h"
#include "fallback.h"
#include "files.h"
#include "foreign.h"
#include "guard.h"
#include "handoff.h"
#include "image_check.h"
#include "ksm.h"
#include "place.h"
#include "processor.h"
#include "repair.h"
#include "say.h"
#include "site.h"
#include "stack.h"
#include "sys.h"
#include "text.h"
#include "trust.h"
#include "variable.h"

/* All that is known before the commit point; on the stack, where it stays, for
 * enter_main() never returns. */
struct enter {
	const void *meta;
	const struct image_header *header;
	int skip;		/* arguments that are not the program's */
	int by_kernel;		/* exec mapped the image, not pyimage */
	struct stack stack;
	struct environ_values environ;
	struct program program;
	struct startup startup;
	struct reason reason;
	char user_site[SITE_PATH];
	char variable[VARIABLE_NAME];
	struct place place;
};

static void read_stack(struct enter *enter, uint64_t *start, uint64_t skip)
{
	stack_read(start, &enter->stack);
	enter->by_kernel = (skip & ~0xffull) != IMAGE_ENTER_SKIP;
	enter->skip = enter->by_kernel ? 1 : (int)(skip & 0xff);
	/* Before Linux 5.18 argv could be empty; then no fallback has room for
	 * the interpreter's name. */
	if (enter->skip < 1 || enter->skip > enter->stack.argc) {
		say_line("refused", "the argument list is empty");
		sys_exit(EXIT_REFUSED);
	}
	enter->program = (struct program){
		.image = enter->stack.argv[enter->skip - 1],
		.argv = enter->stack.argv + enter->skip - 1,
		.envp = enter->stack.envp,
	};
}

static void read_environment(struct enter *enter)
{
	environ_read(enter->stack.envp, &enter->environ);
	enter->program.mode = mode_read(MODE, enter->environ.mode);
	enter->program.verbose = enter->environ.verbose && *enter->environ.verbose;
	enter->program.entry_off = mode_read(MODE_ENTRY, enter->environ.entry) == MODE_ENTRY_OFF;
	if (mode_check(&enter->environ, &enter->reason))
		fallback_die(&enter->program, &enter->reason, EXIT_USAGE);
}

/* The image as a file, where exec mapped it. In a chroot without /proc the name
 * that exec was given has to do. */
static int stat_image(struct enter *enter, struct sys_stat *stat)
{
	const char *name = stack_pointer(&enter->stack, SYS_AT_EXECFN);
	long result = sys_statx(SYS_AT_FDCWD, "/proc/self/exe", 0, TRUST_STATX, stat);

	if (result < 0 && name)
		result = sys_statx(SYS_AT_FDCWD, name, 0, TRUST_STATX, stat);
	if (result < 0)
		return say_reason(&enter->reason, "can't look at the image", NULL, result);
	return 0;
}

/* The file and its meta part. Its size comes first: to touch a page behind the
 * end of a truncated file is SIGBUS. pyimage has made the same checks. */
static int check_image(struct enter *enter)
{
	enum image_fault fault = image_check_prefix(enter->meta, IMAGE_PAGE);
	uint64_t size = image_prefix(enter->meta)->file_size;
	struct sys_stat stat;
	int moved = 0;

	if (image_knows_python(fault)) {
		enter->program.prefix = image_prefix(enter->meta);
		enter->program.python = enter->program.prefix->python;
		moved = place_find(&enter->program, enter->by_kernel, &enter->place,
			&enter->reason);
	}
	if (enter->by_kernel) {
		if (stat_image(enter, &stat))
			return -1;
		if (trust_check(&stat, (uint32_t)stack_aux(&enter->stack, SYS_AT_EUID),
				&enter->reason))
			fallback_die(&enter->program, &enter->reason, EXIT_REFUSED);
		size = stat.size;
	}
	if (enter->program.python && enter->program.mode == MODE_OFF)
		fallback_run(&enter->program);
	if (moved)
		return -1;
	if (!fault)
		fault = image_check_header(enter->meta, IMAGE_PAGE, size);
	if (!fault)
		fault = image_check_tables(enter->meta,
			image_header(enter->meta, IMAGE_PAGE)->meta_size);
	if (!fault && handoff.magic != HANDOFF_MAGIC)
		fault = IMAGE_FAULT_HANDOFF;
	enter->header = image_header(enter->meta, IMAGE_PAGE);
	return fault ? say_reason(&enter->reason, image_fault_text(fault), NULL, 0) : 0;
}

static const char *header_string(const struct enter *enter, uint32_t offset)
{
	return image_string(enter->meta, enter->header, offset);
}

/* The first variable that is read when libraries are loaded and that the image
 * was not built with. */
static const char *find_foreign(const struct enter *enter)
{
	if (enter->environ.foreign)
		for (char **envp = enter->stack.envp; *envp; envp++)
			if (foreign_is(*envp)
			    && !variable_has(enter->meta, enter->header, *envp))
				return *envp;
	return NULL;
}

static int check_environment(struct enter *enter)
{
	const char *locale = header_string(enter, enter->header->locale);
	uint32_t flags = enter->header->flags;
	const char *asked = environ_ask(&enter->environ, &enter->startup.options);
	const char *foreign = find_foreign(enter);

	if (!foreign)
		foreign = enter->environ.module ? enter->environ.module : asked;
	if (foreign) {
		say_reason(&enter->reason, "environment", "it can't honour", 0);
		enter->reason.detail = foreign;
		return -1;
	}
	if (!environ_same_locale(&enter->environ, locale,
				 !!(flags & IMAGE_LOCALE_BY_LC_ALL))) {
		say_reason(&enter->reason, "locale", "it was built in another one, in", 0);
		enter->reason.detail = locale;
		return -1;
	}
	if (handoff.fixed_hash && (enter->startup.options.flags & PYTHON_RANDOM_HASH))
		return say_reason(&enter->reason, "hash seed",
			"it was built with a fixed one", 0);
	enter->startup.locale = environ_kind_of_locale(&enter->environ);
	return variable_check(enter->meta, enter->header, enter->stack.envp,
		enter->variable, &enter->reason);
}

static int check_cmdline(struct enter *enter)
{
	int argc = enter->stack.argc - enter->skip;
	char **argv = enter->stack.argv + enter->skip;
	const char *option = NULL;

	enter->startup.options = handoff.options;
	if (handoff.entry_mode && !enter->program.entry_off)
		cmdline_entry(argc, argv, (uint32_t)handoff.entry_mode,
			handoff.entry_what, &enter->startup);
	else
		option = cmdline_read(argc, argv, &enter->startup);
	if (!option)
		return 0;
	say_reason(&enter->reason, "command line", "it can't honour", 0);
	enter->reason.detail = option;
	return -1;
}

static int check_processor(struct enter *enter)
{
	return processor_check(image_rows(enter->meta, &enter->header->cpu),
		stack_aux(&enter->stack, SYS_AT_HWCAP2), &enter->reason);
}

static int check_site(struct enter *enter)
{
	const struct site_user user = {
		.uid = (uint32_t)stack_aux(&enter->stack, SYS_AT_UID),
		.home = enter->environ.home,
		.unwanted = !!(enter->startup.options.flags & PYTHON_NO_USER_SITE),
	};

	return site_find(enter->meta, enter->header, &user, enter->user_site,
		&enter->startup.user_site, &enter->reason);
}

static int check_guards(struct enter *enter)
{
	const char *frozen = header_string(enter, enter->header->timezone);
	int local;

	enter->startup.timezone_changed =
		environ_timezone_changed(&enter->environ, frozen, &local);
	return guard_check(enter->meta, enter->header, local,
		&enter->startup.timezone_changed, &enter->reason);
}

/* Address space that the frozen process had set aside. */
static int map_reserves(struct enter *enter)
{
	const struct image_range *range = image_rows(enter->meta, &enter->header->reserves);

	for (uint32_t i = 0; i < enter->header->reserves.count; i++, range++) {
		uint64_t got = sys_mmap(range->start, range->length, 0,
			SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS | SYS_MAP_NORESERVE
			| SYS_MAP_FIXED_NOREPLACE, -1, 0);

		if (got != range->start)
			return say_reason(&enter->reason, "can't map", "a reserve",
				sys_is_error(got) ? (long)got : -SYS_EEXIST);
	}
	return 0;
}

/* A minus before the descriptor: at the start. */
static void find_hold(const struct enter *enter, struct startup *startup)
{
	const char *text = enter->environ.hold;

	startup->hold_at_start = text && *text == '-';
	startup->hold = text ? text_number(text + startup->hold_at_start) : -1;
}

/* PYIMAGE_VERBOSE, where the restore goes ahead. */
static void say_restoring(const struct enter *enter)
{
	const struct elf64_header *elf = enter->meta;
	char segments[TEXT_DECIMAL], guards[TEXT_DECIMAL];
	const char *const parts[] = {
		"pyimage: ", enter->program.image, ": ", text_decimal(elf->phnum, segments),
		enter->by_kernel ? " segments mapped by the kernel, "
			: " segments mapped by pyimage, ",
		text_decimal(enter->header->guards.count, guards),
		" guards hold; restoring\n", NULL,
	};

	say_text(2, parts);
}

_Noreturn void enter_main(uint64_t *start, uint64_t skip)
{
	struct enter enter;

	read_stack(&enter, start, skip);
	enter.meta = (const void *)IMAGE_META_BASE;
	if (stack_aux(&enter.stack, SYS_AT_SECURE)) {
		say_line(enter.program.image, "refused: it would run with another user's rights");
		sys_exit(EXIT_REFUSED);
	}
	read_environment(&enter);
	/* Cheap ones first. What they leave behind, exec drops. */
	if (check_image(&enter) || check_cmdline(&enter) || check_environment(&enter)
	    || check_processor(&enter) || check_site(&enter) || check_guards(&enter)
	    || files_open(enter.meta, enter.header, &enter.reason) || map_reserves(&enter))
		fallback_refuse(&enter.program, &enter.reason);
	if (enter.program.verbose)
		say_restoring(&enter);

	/*
	 * COMMIT POINT. Up to here nothing of the image has been changed and
	 * plain python3 could still be run; from here on nothing can fail.
	 */
	repair_process(enter.meta, enter.header, &handoff, &enter.stack);
	files_commit(enter.meta, enter.header);
	enter.startup.merged = mode_read(MODE_KSM, enter.environ.ksm) == MODE_KSM_ON &&
		ksm_start(enter.meta, &enter.program);
	comm_set(&enter.program, &enter.stack, enter.by_kernel,
		handoff.entry_mode && !enter.program.entry_off);
	enter.startup.envp = enter.stack.envp;
	find_hold(&enter, &enter.startup);
	enter.startup.strict = enter.program.mode == MODE_ON;
	enter.startup.verbose = enter.program.verbose != 0;
	enter.startup.full_end =
		mode_read(MODE_FINALIZE, enter.environ.finalize) == MODE_FINALIZE_FULL;
	enter.startup.tid = handoff.startup.tid;
	enter.startup.ignored = handoff.startup.ignored;
	handoff.startup = enter.startup;
	handoff.resume(&handoff.startup);
	sys_exit(EXIT_REFUSED);		/* resume() never returns */
}
