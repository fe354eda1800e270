#include "development.h"

#include "base/clock.h"
#include "base/log.h"
#include "control/control_reload.h"
#include "policy/source_names.h"
#include "system/file_watch.h"

#include <stdio.h>
#include <string.h>

/** Quiet after a change before it is taken: an editor that saves all, or a checkout, is one change. */
#define QUIET_MS 200
/** A change is taken after this time although others keep coming. */
#define QUIET_LONGEST_MS 2000
/** How long a change waits for the end of what runs, before its reload takes over from that. */
#define PATIENCE_MS 1000
/** How often a folder that is not there is looked for. */
#define SEARCH_PERIOD_MS 500
/** More than any source tree should have; each costs the kernel about a kilobyte. */
#define FOLDERS_MAX 8192

#define SECONDS(ms) ((double)(ms) / 1000.0)

static const struct file_watch_rules rules = { .folder_matters = source_folder_matters,
					       .file_matters = source_file_matters };

static void arm(struct development *development, ev_timer *timer, int64_t after_ms)
{
	ev_timer_stop(development->loop, timer);
	ev_timer_set(timer, SECONDS(after_ms), 0.0);
	ev_timer_start(development->loop, timer);
}

/* ---- the reload */

static bool something_runs(const struct supervisor *supervisor)
{
	list_for_each (link, &supervisor->operations) {
		if (operation_is_running(list_entry(link, struct operation, link)))
			return true;
	}
	return false;
}

static void reload(struct development *development)
{
	struct reload_options options = { .supersede = true };
	struct text problems = { 0 };
	const struct operation *operation;
	struct error error;

	development->wanted = false;
	log_notice("%s has changed: reload", development->changed);
	operation = control_load_and_reload(development->supervisor, &development->options->source, &options,
					    clock_monotonic_ms(), &error, &problems);
	if (operation != NULL)
		development->operation = operation->id;
	else
		log_error("reload refused, the next change tries again: %s", error.text);
	text_finish(&problems);
}

static void due(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct development *development = timer->data;
	int64_t patience_ms = development->changed_ms + PATIENCE_MS - clock_monotonic_ms();

	(void)loop;
	(void)events;
	if (!development->wanted || development->supervisor->stopping)
		return;
	if (something_runs(development->supervisor) && patience_ms > 0)
		arm(development, &development->due, patience_ms);
	else
		reload(development);
}

/* ---- what has changed */

static void note_change(struct development *development, const char *what)
{
	int64_t now_ms = clock_monotonic_ms();

	if (!development->wanted) {
		development->wanted = true;
		development->changed_ms = now_ms;
		(void)snprintf(development->changed, sizeof(development->changed), "%s", what);
	}
	arm(development, &development->due, now_ms - development->changed_ms < QUIET_LONGEST_MS ? QUIET_MS : 0);
}

static void look_at_watch(struct development *development)
{
	struct error error;

	while (file_watch_is_incomplete(development->watch, &error))
		log_warning("development mode: %s", error.text);
	if (file_watch_has_lost(development->watch) && !ev_is_active(&development->search))
		arm(development, &development->search, SEARCH_PERIOD_MS);
}

static void readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct development *development = io->data;
	const char *changed = file_watch_read(development->watch);

	(void)loop;
	(void)events;
	if (changed != NULL)
		note_change(development, changed);
	look_at_watch(development);
}

static void search(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct development *development = timer->data;

	(void)loop;
	(void)events;
	if (file_watch_refresh(development->watch))
		note_change(development, "a folder that was missing");
	look_at_watch(development);
}

/* ---- the folders */

static bool append_once(struct string_list *list, const char *folder)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], folder) == 0)
			return true;
	}
	return string_list_append(list, folder);
}

/** Those of the command line, else those in which the pools' workers start. */
static bool list_folders(const struct options *options, const struct configuration *configuration,
			 struct string_list *folders)
{
	bool complete = true;

	for (size_t i = 0; i < options->folder_count; i++)
		complete = append_once(folders, options->folders[i]) && complete;
	for (size_t i = 0; options->folder_count == 0 && i < configuration->pool_count; i++) {
		const char *folder = configuration->pools[i]->directory;
		complete = append_once(folders, folder != NULL ? folder : ".") && complete;
	}
	return complete;
}

static void unwatch(struct development *development)
{
	if (development->watch == NULL)
		return;
	ev_io_stop(development->loop, &development->readable);
	ev_timer_stop(development->loop, &development->search);
	file_watch_destroy(development->watch);
	development->watch = NULL;
}

static void watch_folders(struct development *development)
{
	const struct string_list *folders = &development->folders;
	struct error error;

	development->watch = file_watch_create(&rules, FOLDERS_MAX, &error);
	if (development->watch == NULL) {
		log_warning("development mode: changes go unnoticed: %s", error.text);
		return;
	}
	for (size_t i = 0; i < folders->count; i++) {
		if (file_watch_add(development->watch, folders->items[i], &error))
			log_notice("development mode: watching %s", folders->items[i]);
		else
			log_warning("development mode: %s", error.text);
	}
	ev_io_set(&development->readable, file_watch_fd(development->watch), EV_READ);
	ev_io_start(development->loop, &development->readable);
	look_at_watch(development);
}

/** Another configuration may have other folders. */
static void follow_configuration(struct development *development, const struct configuration *configuration)
{
	struct string_list folders = { 0 };

	if (list_folders(development->options, configuration, &folders) &&
	    !string_list_equal(&folders, &development->folders)) {
		unwatch(development);
		string_list_finish(&development->folders);
		development->folders = folders;
		watch_folders(development);
		return;
	}
	string_list_finish(&folders);
}

/* ---- what the supervisor tells */

static void operation_finished(void *context, const struct operation *operation)
{
	struct development *development = context;
	bool failed = operation->outcome != OUTCOME_DONE && operation->outcome != OUTCOME_SUPERSEDED;

	if (operation->id == development->operation && failed)
		log_error("%s has changed: %s, the next change tries again: %s", development->changed,
			  outcome_words(operation->outcome), operation->message);
	if (operation->verb == VERB_RELOAD)
		follow_configuration(development, development->supervisor->site.configuration);
	/* An observer calls no verb. */
	if (development->wanted)
		arm(development, &development->due, QUIET_MS);
}

void development_start(struct development *development, struct ev_loop *loop, struct supervisor *supervisor,
		       const struct options *options, const struct configuration *configuration)
{
	*development = (struct development){ .loop = loop, .supervisor = supervisor, .options = options };
	list_init(&development->observer.link);
	ev_io_init(&development->readable, readable, -1, EV_READ);
	ev_timer_init(&development->due, due, 0.0, 0.0);
	ev_timer_init(&development->search, search, 0.0, 0.0);
	development->readable.data = development;
	development->due.data = development;
	development->search.data = development;
	if (!options->develops)
		return;
	development->observer.context = development;
	development->observer.operation_finished = operation_finished;
	supervisor_observe(supervisor, &development->observer);
	if (list_folders(options, configuration, &development->folders))
		watch_folders(development);
	else
		log_warning("development mode: no memory to watch anything");
}

void development_stop(struct development *development)
{
	ev_timer_stop(development->loop, &development->due);
	unwatch(development);
	string_list_finish(&development->folders);
	supervisor_unobserve(&development->observer);
}
