/*
 * files_coding.h - which content codings a client takes, and in which order (RFC 9110, 12.5.3).
 */
#ifndef WORKERS_GATEWAYS_FILES_CODING_H
#define WORKERS_GATEWAYS_FILES_CODING_H

#include <stddef.h>

/** Best first among those that a client likes equally. */
enum files_coding { FILES_BROTLI, FILES_GZIP, FILES_IDENTITY, FILES_CODINGS };

/** How much each is liked, in thousandths; -1: not mentioned. */
struct files_codings {
	int quality[FILES_CODINGS];
	int other_quality; /**< of what is not mentioned: of "*" */
};

/** A client that has said nothing. */
#define FILES_CODINGS_UNSAID                                                                                           \
	{                                                                                                              \
		{ -1, -1, -1 }, -1                                                                                     \
	}

/** Heeds the value of one Accept-Encoding; there may be several. What cannot be understood is skipped. */
void files_codings_add(struct files_codings *codings, const char *value, size_t length);

/**
 * What may be sent, best first. The plain file may be, unless it is excluded, and comes last unless it is mentioned.
 *
 * @return how many; 0 when nothing is accepted
 */
size_t files_codings_order(const struct files_codings *codings, enum files_coding order[FILES_CODINGS]);

/** @return the coding's name in Content-Encoding, NULL for the plain file */
const char *files_coding_name(enum files_coding coding);

/** @return the ending of a file in this coding, "" for the plain file */
const char *files_coding_ending(enum files_coding coding);

#endif
