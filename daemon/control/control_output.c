#include "control/control_output.h"

#include "unicornd/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/** Written bytes that are worth a move of the rest. */
#define WRITTEN_MAX ((size_t)64 * 1024)

size_t control_output_pending(const struct control_output *output)
{
	return output->text.length - output->written;
}

/** A reader that never quite catches up must not make the text grow. */
static void drop_written(struct control_output *output)
{
	size_t pending = control_output_pending(output);

	if (output->written < WRITTEN_MAX || output->written < pending)
		return;
	memmove(output->text.data, output->text.data + output->written, pending);
	output->text.length = pending;
	output->written = 0;
}

bool control_output_append(struct control_output *output, const char *bytes, size_t length)
{
	size_t before = output->text.length;

	if (length > UNICORND_CONTROL_BACKLOG_MAX - control_output_pending(output))
		return false;
	text_append_bytes(&output->text, bytes, length);
	return output->text.length == before + length;
}

bool control_output_write(struct control_output *output, int fd)
{
	while (control_output_pending(output) > 0) {
		ssize_t written = send(fd, output->text.data + output->written, control_output_pending(output),
				       MSG_DONTWAIT | MSG_NOSIGNAL);

		if (written > 0)
			output->written += (size_t)written;
		else if (written < 0 && errno != EINTR)
			break;
	}
	if (control_output_pending(output) > 0) {
		drop_written(output);
		return errno == EAGAIN;
	}
	control_output_finish(output);
	return true;
}

void control_output_finish(struct control_output *output)
{
	text_finish(&output->text);
	output->written = 0;
}
