/*
 * files_root.h - opens files below one folder, and none that lies elsewhere.
 *
 * Where the kernel can see to it (openat2, Linux 5.6), symbolic links are followed as long as they stay in the folder;
 * elsewhere none is followed. What is opened need not be a regular file.
 */
#ifndef WORKERS_GATEWAYS_FILES_ROOT_H
#define WORKERS_GATEWAYS_FILES_ROOT_H

#include <stdbool.h>

struct files_root {
	int fd;         /**< the folder */
	bool is_walked; /**< without openat2: folder by folder */
};

/**
 * @param base  what a relative name counts from; NULL: the working directory
 * @return 0 or a negative errno value; then root->fd is -1
 */
int files_root_open(struct files_root *root, const char *base, const char *name);
void files_root_close(struct files_root *root);

/**
 * Opens for reading, without waiting for anybody at the other end of a FIFO.
 *
 * @param name  relative, without empty and dot segments
 * @return a descriptor or a negative errno value
 */
int files_root_find(const struct files_root *root, const char *name);

#endif
