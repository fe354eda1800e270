/*
 * Configuration texts. A text is either refused with problems, each a line of its own, or gives a configuration that
 * prints as a text which gives the same one.
 */
#include "configuration/configuration_file.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void check_round_trip(const struct configuration *configuration)
{
	struct text printed = { 0 };
	struct text again = { 0 };
	struct text problems = { 0 };
	struct configuration *copy;

	configuration_print(configuration, &printed);
	copy = configuration_parse_text("printed.conf", text_string(&printed), &problems);
	require(copy != NULL);
	configuration_print(copy, &again);
	require(strcmp(text_string(&printed), text_string(&again)) == 0);
	configuration_destroy(copy);
	text_finish(&printed);
	text_finish(&again);
	text_finish(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct configuration *configuration;
	struct text problems = { 0 };
	char *text = malloc(size + 1);

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	configuration = configuration_parse_text("fuzz.conf", text, &problems);
	require((configuration == NULL) == (problems.length > 0));
	require(problems.length == 0 || problems.data[problems.length - 1] == '\n');
	if (configuration != NULL)
		check_round_trip(configuration);
	configuration_destroy(configuration);
	text_finish(&problems);
	free(text);
	return 0;
}
