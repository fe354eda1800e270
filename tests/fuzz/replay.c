/*
 * replay.c - feeds every file of a fuzz target's corpus to the target once, without libFuzzer.
 *
 *   replay_NAME [FILE...]
 *
 * Without arguments it takes the files of tests/fuzz/corpus/NAME. A finding of the fuzzer becomes a regression test by
 * putting its file there.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/** Longer inputs are cut; libFuzzer's own limit is far below. */
#define INPUT_SIZE_MAX (4 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool replay_file(const char *path, uint8_t *buffer)
{
	FILE *file = fopen(path, "rb");
	uint8_t *exact;
	size_t size;

	if (!file) {
		perror(path);
		return false;
	}
	printf("# %s\n", path);
	fflush(stdout);
	size = fread(buffer, 1, INPUT_SIZE_MAX, file);
	(void)fclose(file);
	/* Memory of exactly this size, so that a sanitizer sees a read behind the end. */
	exact = malloc(size > 0 ? size : 1);
	if (!exact)
		return false;
	memcpy(exact, buffer, size);
	(void)LLVMFuzzerTestOneInput(exact, size);
	free(exact);
	return true;
}

static int entry_is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/** @return how many files were replayed, or -1 */
static int replay_folder(const char *folder, uint8_t *buffer)
{
	struct dirent **entries;
	int count = scandir(folder, &entries, entry_is_visible, alphasort);
	bool good = true;

	if (count < 0) {
		perror(folder);
		return -1;
	}
	for (int i = 0; i < count; i++) {
		char path[3584];
		int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

		good = length > 0 && (size_t)length < sizeof(path) && replay_file(path, buffer) && good;
		free(entries[i]);
	}
	free(entries);
	return good ? count : -1;
}

static int replay_corpus(uint8_t *buffer)
{
	const char *source = getenv("SOURCE_DIR");
	char folder[3072];

	(void)snprintf(folder, sizeof(folder), "%s/tests/fuzz/corpus/%s", source ? source : ".", FUZZ_TARGET);
	return replay_folder(folder, buffer);
}

int main(int argc, char **argv)
{
	uint8_t *buffer = malloc(INPUT_SIZE_MAX);
	int count = 0;

	if (!buffer)
		return EXIT_FAILURE;
	puts("1..1");
	if (argc < 2)
		count = replay_corpus(buffer);
	for (int i = 1; i < argc && count >= 0; i++)
		count = replay_file(argv[i], buffer) ? count + 1 : -1;
	free(buffer);
	printf("%sok 1 - %s: %d inputs replayed\n", count > 0 ? "" : "not ", FUZZ_TARGET, count);
	return EXIT_SUCCESS;
}
