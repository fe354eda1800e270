/*
 * invariants.h - what holds after every event and before every request, whatever happens.
 */
#ifndef TESTS_SIMULATION_INVARIANTS_H
#define TESTS_SIMULATION_INVARIANTS_H

#include "stage.h"

/** After every event and verb. */
void invariants_check(struct stage *stage);
/** At the time of a start: the ceiling, and who may start. */
void invariants_before_spawn(struct stage *stage, const struct worker *worker);
/** At the time of an order to leave: the floor. */
void invariants_before_signal(struct stage *stage, const struct worker *worker, int signal);

/** When the first worker of a generation is still to come. */
void invariants_generation_came_in(struct stage *stage, const struct pool *pool);

/** Notes what the site looks like before a verb. @return the record, NULL when none are kept */
struct operation_record *invariants_begin_record(struct stage *stage, enum verb verb, const char *target);
/** The verb gave this operation, or NULL: nothing has changed. */
void invariants_end_record(struct stage *stage, struct operation_record *record, const struct operation *operation);
/** A failed operation puts back exactly what was there. */
void invariants_operation_finished(struct stage *stage, const struct operation *operation);

/** Fails the test and says how to repeat it. */
#define invariant(stage, holds, ...)                                                                                   \
	do {                                                                                                           \
		if (!(holds))                                                                                          \
			invariant_broken(stage, __FILE__, __LINE__, __VA_ARGS__);                                      \
	} while (0)

__attribute__((noreturn, format(printf, 4, 5))) void invariant_broken(const struct stage *stage, const char *file,
								      int line, const char *fmt, ...);

#endif
