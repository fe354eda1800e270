#include "system/socket_holder.h"

#include "base/ownership.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/** As /proc/net/tcp numbers it. */
#define STATE_LISTEN 0x0a
/** A host in /proc/net/tcp6: four words, each in the byte order of this machine. */
#define HOST_DIGITS 32
#define WORD_DIGITS 8
/** Sockets and descriptors that are looked at; some tens of milliseconds. */
#define LISTENERS_MAX   4096
#define DESCRIPTORS_MAX 20000

/** A host as /proc/net has it. */
static void print_host(const struct address *address, char text[HOST_DIGITS + 1])
{
	size_t words = address->kind == ADDRESS_TCP4 ? 1 : 4;

	for (size_t i = 0; i < words; i++) {
		uint32_t word;

		memcpy(&word, address->host + i * sizeof(word), sizeof(word));
		(void)snprintf(text + i * WORD_DIGITS, WORD_DIGITS + 1, "%08X", (unsigned)word);
	}
}

static bool is_everybody(const char *host)
{
	return strspn(host, "0") == strlen(host);
}

/** @return number of the listening socket in a table of /proc/net that keeps others from the address; 0: none */
static unsigned long find_listener(const char *table, const struct address *address)
{
	char own[HOST_DIGITS + 1];
	char host[HOST_DIGITS + 1];
	char line[256];
	unsigned long found = 0;
	FILE *file = fopen(table, "re");

	if (file == NULL)
		return 0;
	print_host(address, own);
	/* The first line is a headline; listening sockets come before all others. */
	for (int i = 0; found == 0 && i < LISTENERS_MAX && fgets(line, sizeof(line), file) != NULL; i++) {
		unsigned long number;
		unsigned port;
		unsigned state;

		if (sscanf(line, " %*d: %32[0-9A-F]:%4X %*s %2X %*s %*s %*s %*s %*s %lu", host, &port, &state,
			   &number) != 4)
			continue;
		if (state != STATE_LISTEN)
			break;
		if (port == address->port && (strcmp(host, own) == 0 || is_everybody(host) || is_everybody(own)))
			found = number;
	}
	(void)fclose(file);
	return found;
}

/** @param left  descriptors that may still be looked at */
static bool has_socket(int proc, const char *pid, const char *socket_text, int *left)
{
	char path[64];
	char text[64];
	const struct dirent *entry;
	bool found = false;
	DIR *folder;
	int fd;

	(void)snprintf(path, sizeof(path), "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	folder = fd >= 0 ? fdopendir(fd) : NULL;
	if (folder == NULL) {
		close_fd(&fd);
		return false;
	}
	while (!found && (*left)-- > 0 && (entry = readdir(folder)) != NULL) {
		ssize_t length = readlinkat(dirfd(folder), entry->d_name, text, sizeof(text) - 1);

		text[length > 0 ? length : 0] = '\0';
		found = strcmp(text, socket_text) == 0;
	}
	(void)closedir(folder);
	return found;
}

/** @return the first process that has the socket: the one that bound it is older than those that inherited it */
static pid_t find_process(unsigned long number)
{
	const struct dirent *entry;
	int left = DESCRIPTORS_MAX;
	char text[64];
	pid_t found = 0;
	DIR *proc = opendir("/proc");

	if (proc == NULL)
		return 0;
	(void)snprintf(text, sizeof(text), "socket:[%lu]", number);
	while (found == 0 && left > 0 && (entry = readdir(proc)) != NULL) {
		long pid = strtol(entry->d_name, NULL, 10);

		if (pid > 0 && has_socket(dirfd(proc), entry->d_name, text, &left))
			found = (pid_t)pid;
	}
	(void)closedir(proc);
	return found;
}

pid_t socket_holder_of_tcp(const struct address *address)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	bool is_v6 = address->kind == ADDRESS_TCP6;
	unsigned long number = find_listener(tables[is_v6], address);

	/* Who listens for everybody in one family has the port in the other as well. */
	if (number == 0)
		number = find_listener(tables[!is_v6], address);
	return number != 0 ? find_process(number) : 0;
}

pid_t socket_holder_of_peer(int fd)
{
	struct ucred peer = { .pid = 0 };
	socklen_t length = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

/** Anybody may call himself anything. @return false: the process is gone */
static bool read_name(pid_t pid, char *name, size_t size)
{
	char path[40];
	ssize_t length;
	owned_fd fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	length = fd >= 0 ? read(fd, name, size - 1) : -1;
	if (length <= 1)
		return false;
	name[length - 1] = '\0';
	for (char *at = name; *at != '\0'; at++) {
		if (*at < ' ' || *at > '~')
			*at = '?';
	}
	return true;
}

const char *socket_holder_print(pid_t pid, enum address_kind kind, char *buffer, size_t size)
{
	bool is_unix = kind == ADDRESS_UNIX || kind == ADDRESS_ABSTRACT;
	char name[32];

	if (pid > 0 && read_name(pid, name, sizeof(name)))
		(void)snprintf(buffer, size, "%s, process %d, listens there", name, (int)pid);
	else
		(void)snprintf(buffer, size, "another process listens there; 'ss -l%s' names it",
			       is_unix ? "xp" : "tnp");
	return buffer;
}
