/*
 * The ring of output against a model that is a plain string.
 */
#include "unit.h"

#include "model/output_ring.h"

#include <string.h>

/** The model: all that was ever written, and how much of its end is kept. */
struct model {
	char *bytes;
	size_t length;
};

static void model_append(struct model *model, const char *bytes, size_t length)
{
	model->bytes = realloc(model->bytes, model->length + length + 1);
	ck_assert_ptr_nonnull(model->bytes);
	memcpy(model->bytes + model->length, bytes, length);
	model->length += length;
	model->bytes[model->length] = '\0';
}

/** Where the last `lines` lines of a string begin; a newline at the very end closes the last of them. */
static size_t model_tail(const char *bytes, size_t length, size_t lines)
{
	size_t index = length;

	if (lines == 0)
		return 0;
	if (index > 0 && bytes[index - 1] == '\n')
		index--;
	while (index > 0 && !(bytes[index - 1] == '\n' && --lines == 0))
		index--;
	return index;
}

static void assert_tail(const struct output_ring *ring, const struct model *model, size_t lines, size_t bytes_max)
{
	size_t kept = ring->length < bytes_max ? ring->length : bytes_max;
	const char *expected = model->bytes + model->length - kept;
	size_t from = model_tail(expected, kept, lines);
	struct text text = { 0 };

	output_ring_tail(ring, lines, bytes_max, &text);
	ck_assert_uint_eq(text.length, kept - from);
	ck_assert(text.length == 0 || memcmp(text.data, expected + from, text.length) == 0);
	text_finish(&text);
}

static void assert_same(const struct output_ring *ring, const struct model *model)
{
	static const size_t lines[] = { 0, 1, 2, 10, 100000 };
	size_t kept = model->length < OUTPUT_RING_MAX ? model->length : OUTPUT_RING_MAX;

	ck_assert_uint_eq(ring->length, kept);
	ck_assert_uint_le(ring->size, OUTPUT_RING_MAX);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_tail(ring, model, lines[i], SIZE_MAX);
		assert_tail(ring, model, lines[i], 100);
		assert_tail(ring, model, lines[i], 1);
	}
}

/** Fills with letters that tell where they came from, and newlines every `line` bytes (0: never). */
static void fill(char *bytes, size_t length, size_t line)
{
	static unsigned counter;

	for (size_t i = 0; i < length; i++, counter++)
		bytes[i] = line > 0 && counter % line == line - 1 ? '\n' : (char)('a' + counter % 26);
}

static void append_chunks(size_t chunk, size_t total, size_t line)
{
	struct output_ring ring = { 0 };
	struct model model = { 0 };
	char *bytes = malloc(chunk + 1);

	ck_assert_ptr_nonnull(bytes);
	while (model.length < total) {
		fill(bytes, chunk, line);
		output_ring_append(&ring, bytes, chunk);
		model_append(&model, bytes, chunk);
		if (chunk > 100 || model.length % 997 < chunk)
			assert_same(&ring, &model);
	}
	assert_same(&ring, &model);
	output_ring_finish(&ring);
	free(bytes);
	free(model.bytes);
}

static const size_t chunks[] = { 1,
				 7,
				 511,
				 512,
				 1023,
				 1024,
				 1025,
				 4096,
				 4097,
				 OUTPUT_RING_MAX / 2,
				 OUTPUT_RING_MAX - 1,
				 OUTPUT_RING_MAX,
				 OUTPUT_RING_MAX + 1,
				 2 * OUTPUT_RING_MAX,
				 2 * OUTPUT_RING_MAX + 3,
				 5 * OUTPUT_RING_MAX };

START_TEST(test_chunks_of_any_size)
{
	append_chunks(chunks[_i], 3 * OUTPUT_RING_MAX, 80);
	append_chunks(chunks[_i], 2 * OUTPUT_RING_MAX, 0);
	append_chunks(chunks[_i], 100, 1);
}
END_TEST

START_TEST(test_every_small_size)
{
	char bytes[300];

	for (size_t first = 0; first < sizeof(bytes); first += 13) {
		for (size_t second = 0; second < sizeof(bytes); second++) {
			struct output_ring ring = { 0 };
			struct model model = { 0 };
			fill(bytes, sizeof(bytes), 17);
			output_ring_append(&ring, bytes, first);
			model_append(&model, bytes, first);
			output_ring_append(&ring, bytes, second);
			model_append(&model, bytes, second);
			assert_same(&ring, &model);
			output_ring_finish(&ring);
			free(model.bytes);
		}
	}
}
END_TEST

START_TEST(test_an_empty_ring_costs_nothing)
{
	struct output_ring ring = { 0 };
	struct text text = { 0 };

	output_ring_append(&ring, "", 0);
	output_ring_tail(&ring, 10, SIZE_MAX, &text);
	ck_assert_ptr_null(ring.data);
	ck_assert_uint_eq(text.length, 0);
	output_ring_clear(&ring);
	output_ring_finish(&ring);
	output_ring_finish(&ring);
}
END_TEST

START_TEST(test_a_cleared_ring_keeps_its_memory)
{
	struct output_ring ring = { 0 };
	const char *data;

	output_ring_append(&ring, "before\n", 7);
	data = ring.data;
	output_ring_clear(&ring);
	ck_assert_uint_eq(ring.length, 0);
	output_ring_append(&ring, "after\n", 6);
	ck_assert_ptr_eq(ring.data, data);
	ck_assert_uint_eq(ring.length, 6);
	output_ring_finish(&ring);
}
END_TEST

START_TEST(test_rings_change_places)
{
	struct output_ring a = { 0 };
	struct output_ring b = { 0 };

	output_ring_append(&a, "one", 3);
	output_ring_swap(&a, &b);
	ck_assert_uint_eq(a.length, 0);
	ck_assert_uint_eq(b.length, 3);
	ck_assert_int_eq(memcmp(b.data, "one", 3), 0);
	output_ring_finish(&a);
	output_ring_finish(&b);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("output_ring");
	TCase *cases = tcase_create("ring");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, test_chunks_of_any_size, 0, (int)(sizeof(chunks) / sizeof(chunks[0])));
	tcase_add_test(cases, test_every_small_size);
	tcase_add_test(cases, test_an_empty_ring_costs_nothing);
	tcase_add_test(cases, test_a_cleared_ring_keeps_its_memory);
	tcase_add_test(cases, test_rings_change_places);
	suite_add_tcase(suite, cases);
	return unit_run(suite);
}
