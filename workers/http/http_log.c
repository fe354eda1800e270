#include "http_log.h"

#include "access_log.h"
#include "address_text.h"
#include "forwarded.h"
#include "http_flow.h"
#include "proxy_protocol.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool text_replace(char **place, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		return false;
	free(*place);
	*place = copy;
	return true;
}

static bool name_address(char **host, uint16_t *port, const struct sockaddr_storage *address, socklen_t length)
{
	char text[ADDRESS_TEXT_BYTES];

	*port = address_text_print(address, length, text);
	return text_replace(host, text);
}

bool http_connection_name_client(struct http_connection *connection)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (connection->client_host != NULL)
		return true;
	(void)getpeername(connection->io.fd, (struct sockaddr *)&address, &length);
	return name_address(&connection->client_host, &connection->client_port, &address, length);
}

bool http_connection_name_server(struct http_connection *connection)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (connection->server_host != NULL)
		return true;
	(void)getsockname(connection->io.fd, (struct sockaddr *)&address, &length);
	return name_address(&connection->server_host, &connection->server_port, &address, length);
}

void http_flow_trust_peer(struct http_connection *connection, int fd)
{
	const struct trusted_peers *trusted = connection->server->settings.trusted;
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (trusted == NULL || getpeername(fd, (struct sockaddr *)&address, &length) != 0)
		return;
	connection->is_trusted = trusted_peers_include(trusted, &address);
}

/** The first refusal is told, since nothing else shows why a proxy gets no answer; more would be anybody's to fill. */
static void refuse_proxy(struct http_connection *connection, const char *why)
{
	static bool is_told;

	if (!is_told && http_connection_name_client(connection))
		unicorn_log(UNICORN_WARNING, "--proxy-protocol: %s %s; said once",
			    connection->client_host[0] != '\0' ? connection->client_host : "a Unix socket", why);
	is_told = true;
	http_connection_destroy(connection);
}

/** @return false without memory */
static bool take_proxy_addresses(struct http_connection *connection, const struct proxy_header *header)
{
	if (header->is_local)
		return true;
	return name_address(&connection->client_host, &connection->client_port, &header->source,
			    header->source_length) &&
	       name_address(&connection->server_host, &connection->server_port, &header->destination,
			    header->destination_length);
}

void http_flow_take_proxy_header(struct http_connection *connection)
{
	const struct trusted_peers *trusted = connection->server->settings.trusted;
	struct proxy_header header;
	enum proxy_result result = proxy_protocol_parse(connection->input.bytes, connection->input.length, &header);

	if (result == PROXY_NEED_MORE)
		return;
	/* Who is not trusted could name anybody. */
	if (!connection->is_trusted) {
		refuse_proxy(connection, "is not among those of --trust");
		return;
	}
	if (result == PROXY_BAD) {
		refuse_proxy(connection, "did not begin with a PROXY header that is right");
		return;
	}
	if (!take_proxy_addresses(connection, &header)) {
		http_connection_destroy(connection);
		return;
	}
	/* Headers are the word of whom the proxy hands on, not of the proxy. */
	connection->is_trusted = !header.is_local && trusted_peers_include(trusted, &header.source);
	connection->input_used = header.consumed;
	connection->state = HTTP_CONNECTION_READING;
	if (connection->input.length > connection->input_used)
		http_flow_parse(connection);
}

void http_log_take_forwarded(struct http_connection *connection)
{
	struct unicorn_request *request = connection->request;
	struct forwarded_client client = { .is_https = false };

	if (!http_connection_name_client(connection))
		return;
	/* Each request of a proxy's connection may be somebody else's; the peer is where every walk begins. */
	if (connection->peer_host == NULL) {
		connection->peer_host = strdup(connection->client_host);
		connection->peer_port = connection->client_port;
	}
	if (connection->peer_host == NULL)
		return;
	(void)strncat(client.host, connection->peer_host, sizeof(client.host) - 1);
	client.port = connection->peer_port;
	forwarded_resolve(connection->server->settings.trusted, request->headers, request->head.header_count, &client);
	if (text_replace(&connection->client_host, client.host))
		connection->client_port = client.port;
	if (client.is_https)
		request->head.scheme = "https";
}

void http_log_request(struct http_server *server, struct http_connection *connection,
		      const struct unicorn_request *request)
{
	struct access_record record;

	if (server->settings.log == NULL)
		return;
	(void)http_connection_name_client(connection);
	record = (struct access_record){
		.head = request->head.target != NULL && request->is_head_complete ? &request->head : NULL,
		.client_host = connection->client_host,
		.user = request->user,
		.status = request->answer.status,
		.body_bytes = request->answer.body_bytes,
		.duration_us = request->begun_us > 0 ? (int64_t)(ev_time() * 1e6) - request->begun_us : 0,
		.time_s = (int64_t)ev_now(server->loop),
	};
	access_log_write(server->settings.log, &record);
}
