/*
 * unit.h - runs one suite of libcheck and says the results in TAP on standard output.
 *
 * Each test program holds one suite and ends with `return unit_run(suite)`. CK_FORK=no keeps all tests in one process,
 * for debuggers and sanitizers.
 */
#ifndef TESTS_UNIT_UNIT_H
#define TESTS_UNIT_UNIT_H

#include <check.h>
#include <stdlib.h>

/** Runs the suite and frees it. @return exit status of the program */
static inline int unit_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failures;

	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failures = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
