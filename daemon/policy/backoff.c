#include "policy/backoff.h"

/** Share of a pause by which it is spread to either side. */
#define SPREAD 0.25

static int64_t spread(int64_t pause_ms, double random)
{
	return (int64_t)((double)pause_ms * (1.0 - SPREAD + 2.0 * SPREAD * random));
}

int64_t backoff_pause(const struct pauses *pauses, unsigned failures, bool was_ready, double random)
{
	unsigned doublings = failures - 1;
	int64_t pause = pauses->first_ms;

	if (was_ready) {
		if (doublings == 0)
			return 0;
		doublings--;
	}
	while (doublings-- > 0 && pause < pauses->longest_ms)
		pause *= 2;
	if (pause > pauses->longest_ms)
		pause = pauses->longest_ms;
	return spread(pause, random);
}

int64_t backoff_longest(const struct pauses *pauses, double random)
{
	return spread(pauses->longest_ms, random);
}
