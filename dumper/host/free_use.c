/*
 * Only what no free list has is counted. So what an import adds to the count depends
 * on how long the lists are when it comes; what is alive after it, and how many it
 * uses of each list at a time, does not. The lists are stacks: what lay on top of one
 * and was used has lost its mark then.
 */
#include "free_use.h"
#include "collector.h"
#include "talk.h"
#include "versions/free_lists.h"

#define WATCHED 24	/* more than an import uses of any at a time */

static PyObject *watched[FREE_LISTS_MOST][WATCHED];
static int before[FREE_LISTS_MOST];
static int most[FREE_LISTS_MOST];	/* used at a time */
static int kept[FREE_LISTS_MOST];	/* of these, for good */
static int alive, all_kept;		/* more than before */
static struct collector_pause start;

static void lengthen(int kind, PyObject **held, int count)
{
	for (int i = 0; i < count; i++)
		if (!(held[i] = free_lists_make(kind)))
			talk_refuse("watch the collector's free lists: out of memory");
	for (int i = count; i-- > 0;)
		Py_DECREF(held[i]);
}

static int watched_of(int kind)
{
	int room = free_lists_room(kind);

	return room < WATCHED ? room : WATCHED;
}

void free_use_watch(void)
{
	int now[FREE_LISTS_MOST], kinds = free_lists_read(now);

	for (int kind = 0; kind < kinds; kind++) {
		int count = watched_of(kind);

		lengthen(kind, watched[kind], count);
		for (int i = 0; i < count; i++)
			free_lists_mark(watched[kind][i]);
	}
	free_lists_read(before);
	start = collector_pause();
}

void free_use_watched(void)
{
	int now[FREE_LISTS_MOST], kinds = free_lists_read(now);

	all_kept = 0;
	for (int kind = 0; kind < kinds; kind++) {
		kept[kind] = before[kind] - now[kind];
		all_kept += kept[kind];
		for (int i = 0; i < watched_of(kind); i++)
			most[kind] += !free_lists_is_marked(watched[kind][i]);
	}
	alive = collector_counted(start) + all_kept;
}

static void take(int kind, int count)
{
	while (count-- > 0)
		free_lists_take(kind);
}

static int bring(int kind, int now)
{
	PyObject *held[WATCHED];
	int want = (now > most[kind] ? now : most[kind]) - kept[kind];

	if (want < 0)
		want = 0;
	if (want > now)
		lengthen(kind, held, want < WATCHED ? want : WATCHED);
	else
		take(kind, now - want);
	return want - now;
}

int free_use(void)
{
	struct collector_pause pause = collector_pause();
	int now[FREE_LISTS_MOST], kinds = free_lists_read(now), more = 0, taken = 0;

	for (int kind = 0; kind < kinds; kind++) {
		int one = bring(kind, now[kind]);

		more += one;
		taken += one < 0 ? -one : 0;
	}
	collector_take(pause, alive + more);
	return all_kept - taken;
}
