#include "files_type.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define UTF8 "; charset=utf-8"

/* In the order of their endings. */
static const struct files_type types[] = {
	{ "7z", "application/x-7z-compressed", false },
	{ "aac", "audio/aac", false },
	{ "apng", "image/apng", false },
	{ "atom", "application/atom+xml", true },
	{ "avif", "image/avif", false },
	{ "bmp", "image/bmp", true },
	{ "br", "application/octet-stream", false },
	{ "bz2", "application/x-bzip2", false },
	{ "cjs", "text/javascript" UTF8, true },
	{ "css", "text/css" UTF8, true },
	{ "csv", "text/csv" UTF8, true },
	{ "doc", "application/msword", true },
	{ "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", false },
	{ "eot", "application/vnd.ms-fontobject", true },
	{ "epub", "application/epub+zip", false },
	{ "flac", "audio/flac", false },
	{ "geojson", "application/geo+json", true },
	{ "gif", "image/gif", false },
	{ "glb", "model/gltf-binary", true },
	{ "gltf", "model/gltf+json", true },
	{ "gz", "application/gzip", false },
	{ "heic", "image/heic", false },
	{ "heif", "image/heif", false },
	{ "htm", "text/html" UTF8, true },
	{ "html", "text/html" UTF8, true },
	{ "ico", "image/vnd.microsoft.icon", true },
	{ "ics", "text/calendar" UTF8, true },
	{ "jar", "application/java-archive", false },
	{ "jpeg", "image/jpeg", false },
	{ "jpg", "image/jpeg", false },
	{ "js", "text/javascript" UTF8, true },
	{ "json", "application/json", true },
	{ "jsonld", "application/ld+json", true },
	{ "jxl", "image/jxl", false },
	{ "log", "text/plain" UTF8, true },
	{ "m3u8", "application/vnd.apple.mpegurl", true },
	{ "m4a", "audio/mp4", false },
	{ "m4s", "video/iso.segment", false },
	{ "m4v", "video/mp4", false },
	{ "map", "application/json", true },
	{ "md", "text/markdown" UTF8, true },
	{ "mid", "audio/midi", true },
	{ "mjs", "text/javascript" UTF8, true },
	{ "mkv", "video/matroska", false },
	{ "mov", "video/quicktime", false },
	{ "mp3", "audio/mpeg", false },
	{ "mp4", "video/mp4", false },
	{ "mpd", "application/dash+xml", true },
	{ "mpeg", "video/mpeg", false },
	{ "mpg", "video/mpeg", false },
	{ "odp", "application/vnd.oasis.opendocument.presentation", false },
	{ "ods", "application/vnd.oasis.opendocument.spreadsheet", false },
	{ "odt", "application/vnd.oasis.opendocument.text", false },
	{ "oga", "audio/ogg", false },
	{ "ogg", "audio/ogg", false },
	{ "ogv", "video/ogg", false },
	{ "opus", "audio/ogg", false },
	{ "otf", "font/otf", true },
	{ "pdf", "application/pdf", true },
	{ "png", "image/png", false },
	{ "ppt", "application/vnd.ms-powerpoint", true },
	{ "pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", false },
	{ "ps", "application/postscript", true },
	{ "rss", "application/rss+xml", true },
	{ "rtf", "application/rtf", true },
	{ "svg", "image/svg+xml", true },
	{ "tar", "application/x-tar", true },
	{ "tgz", "application/gzip", false },
	{ "tif", "image/tiff", true },
	{ "tiff", "image/tiff", true },
	{ "toml", "application/toml", true },
	{ "ts", "video/mp2t", false },
	{ "ttc", "font/collection", true },
	{ "ttf", "font/ttf", true },
	{ "txt", "text/plain" UTF8, true },
	{ "vtt", "text/vtt" UTF8, true },
	{ "wasm", "application/wasm", true },
	{ "wav", "audio/wav", true },
	{ "weba", "audio/webm", false },
	{ "webm", "video/webm", false },
	{ "webmanifest", "application/manifest+json", true },
	{ "webp", "image/webp", false },
	{ "woff", "font/woff", false },
	{ "woff2", "font/woff2", false },
	{ "xht", "application/xhtml+xml", true },
	{ "xhtml", "application/xhtml+xml", true },
	{ "xls", "application/vnd.ms-excel", true },
	{ "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", false },
	{ "xml", "application/xml", true },
	{ "xsl", "application/xml", true },
	{ "xz", "application/x-xz", false },
	{ "yaml", "application/yaml", true },
	{ "yml", "application/yaml", true },
	{ "zip", "application/zip", false },
	{ "zst", "application/zstd", false },
};

static int compare(const void *ending, const void *type)
{
	return strcasecmp(ending, ((const struct files_type *)type)->ending);
}

const struct files_type *files_type_find(const char *name)
{
	static const struct files_type unknown = { "", "application/octet-stream", true };
	const char *slash = strrchr(name, '/');
	const char *dot = strrchr(slash == NULL ? name : slash, '.');
	const struct files_type *type;

	if (dot == NULL)
		return &unknown;
	type = bsearch(dot + 1, types, sizeof(types) / sizeof(types[0]), sizeof(types[0]), compare);
	return type == NULL ? &unknown : type;
}
