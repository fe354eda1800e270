#include "control/control_reload.h"

#include "base/log.h"

#include <string.h>

/** The lines without the newline behind the last one. */
static void set_problems(struct error *error, const struct text *problems)
{
	const char *lines = text_string(problems);
	size_t length = problems->length;

	while (length > 0 && lines[length - 1] == '\n')
		length--;
	(void)error_set(error, ERROR_CONFIGURATION, "%.*s", (int)length, length > 0 ? lines : "no memory");
}

/** A log that cannot be opened would be told now by nobody, and would keep the daemon from its next start. */
static bool check_log(const struct configuration *candidate, const struct configuration_source *source,
		      const struct reload_options *options, struct error *error)
{
	if (options->pool != NULL || log_check(candidate->log.file, error))
		return true;
	error->kind = ERROR_CONFIGURATION;
	return error_wrap(error, "%s: log: file", source->path != NULL ? source->path : "command line");
}

struct operation *control_load_and_reload(struct supervisor *supervisor, const struct configuration_source *source,
					  const struct reload_options *options, int64_t now_ms, struct error *error,
					  struct text *problems)
{
	struct configuration *candidate = configuration_load(source, problems);

	if (candidate == NULL) {
		set_problems(error, problems);
		return NULL;
	}
	if (!check_log(candidate, source, options, error)) {
		configuration_destroy(candidate);
		return NULL;
	}
	return supervisor_reload(supervisor, candidate, options, now_ms, error);
}
