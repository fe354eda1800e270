/*
 * programs.h - what the commands of simulated sites do: programs by name, with a process's behaviour each.
 */
#ifndef TESTS_SIMULATION_PROGRAMS_H
#define TESTS_SIMULATION_PROGRAMS_H

#include "fake_world.h"

/** Programs that never become good, for broken generations. */
extern const char *const programs_broken[];
extern const unsigned programs_broken_count;

/** Fills in the behaviour of the program with that name. */
void program_behave(const char *name, struct fake_behaviour *behaviour);

/** A behaviour with any fault that a single process can have. */
void program_misbehave(struct fake_world *world, struct fake_behaviour *behaviour);
/** Asks for a replacement some time, and in some cases ends by itself a little later. */
void program_tire(struct fake_world *world, struct fake_behaviour *behaviour);
/** A good behaviour with other times. */
void program_vary(struct fake_world *world, struct fake_behaviour *behaviour);

#endif
