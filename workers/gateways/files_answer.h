/*
 * files_answer.h - the answer for a file that has been found: whole, in parts, or a word about why not.
 */
#ifndef WORKERS_GATEWAYS_FILES_ANSWER_H
#define WORKERS_GATEWAYS_FILES_ANSWER_H

#include "files_choice.h"

/** @param cache_control  for Cache-Control, or NULL */
void files_answer(struct unicorn_request *request, const struct files_fields *fields, const struct files_choice *choice,
		  const char *cache_control);

#endif
