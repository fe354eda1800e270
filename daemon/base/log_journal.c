#include "base/log_journal.h"

#include "base/ownership.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

/** Room for all fields but the text: two names of this length at most, a dozen words and numbers. */
#define NAME_LENGTH_MAX 100
#define FIELDS_SIZE     512
/** What sd_journal_sendv(3) asks for, too; the kernel gives what it allows. */
#define QUEUE_BYTES (8 * 1024 * 1024)

struct fields {
	char bytes[FIELDS_SIZE];
	size_t length;
};

/** Adds a line; what a value has of line breaks must not make fields. Without a value, or without room: nothing. */
static void add_text(struct fields *fields, const char *name, const char *value)
{
	size_t room = sizeof(fields->bytes) - fields->length;
	char *line = fields->bytes + fields->length;
	int length;

	if (value == NULL || value[0] == '\0')
		return;
	length = snprintf(line, room, "%s=%.*s\n", name, NAME_LENGTH_MAX, value);
	if (length <= 0 || (size_t)length >= room)
		return;
	for (int i = 0; i < length - 1; i++) {
		if (line[i] == '\n')
			line[i] = '?';
	}
	fields->length += (size_t)length;
}

static void add_number(struct fields *fields, const char *name, long long value)
{
	char digits[24];

	if (value <= 0)
		return;
	(void)snprintf(digits, sizeof(digits), "%lld", value);
	add_text(fields, name, digits);
}

/**
 * A stream has the first three by itself, or from the unit. The worker's pid is a field of our own: OBJECT_PID= means
 * nothing unless root says it, and then the journal looks the process up for each line, which may be another's by then.
 */
static void add_all(struct fields *fields, const char *site, int priority, const struct log_subject *subject)
{
	const char word[] = { (char)('0' + priority), '\0' };

	add_text(fields, "PRIORITY", word);
	add_text(fields, "SYSLOG_FACILITY", "3");
	add_text(fields, "SYSLOG_IDENTIFIER", "unicornd");
	add_text(fields, "UNICORND_SITE", site);
	if (subject == NULL)
		return;
	add_text(fields, "UNICORND_POOL", subject->pool);
	add_number(fields, "UNICORND_SLOT", subject->slot);
	add_number(fields, "UNICORND_GENERATION", subject->generation);
	add_number(fields, "UNICORND_WORKER_PID", subject->pid);
	add_text(fields, "UNICORND_EVENT", subject->event);
}

/** Connected, because poll(2) of a socket that is not tells nothing about the journal's queue. @return errno or 0 */
static int connect_journal(struct log_journal *journal)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int bytes = QUEUE_BYTES;

	if (strlen(journal->path) >= sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, journal->path, strlen(journal->path));
	journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (journal->fd < 0)
		return errno;
	(void)setsockopt(journal->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	return connect(journal->fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
}

/** @return 0 or an errno value */
static int send_entry(const struct log_journal *journal, const struct msghdr *message)
{
	return sendmsg(journal->fd, message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ? 0 : errno;
}

static int deliver(struct log_journal *journal, const struct msghdr *message)
{
	int result = journal->fd >= 0 ? send_entry(journal, message) : ENOTCONN;

	if (result == 0 || result == EAGAIN)
		return result;
	log_journal_close(journal);
	result = connect_journal(journal);
	if (result == 0)
		result = send_entry(journal, message);
	if (result != 0 && result != EAGAIN)
		log_journal_close(journal);
	return result;
}

int log_journal_send(struct log_journal *journal, int priority, const struct log_subject *subject, const char *text,
		     size_t length)
{
	char name[] = "MESSAGE=";
	char end[] = "\n";
	struct fields fields = { .length = 0 };
	struct iovec parts[] = {
		{ .iov_base = fields.bytes },
		{ .iov_base = name, .iov_len = strlen(name) },
		{ .iov_base = (void *)(uintptr_t)text, .iov_len = length },
		{ .iov_base = end, .iov_len = strlen(end) },
	};
	struct msghdr message = { .msg_iov = parts, .msg_iovlen = sizeof(parts) / sizeof(parts[0]) };

	add_all(&fields, journal->site, priority, subject);
	parts[0].iov_len = fields.length;
	return deliver(journal, &message);
}

void log_journal_close(struct log_journal *journal)
{
	close_fd(&journal->fd);
}
