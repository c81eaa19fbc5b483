/* What Swift's C importer cannot see of libcurl: its variadic functions, one for each kind of argument, and macros. */
#pragma once
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

static inline CURLcode cvr_curl_set_number(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode cvr_curl_set_size(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
/* The text is copied; NULL takes away what is the default. */
static inline CURLcode cvr_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode cvr_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode cvr_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
/* The bytes are copied. */
static inline CURLcode cvr_curl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = { (void *)bytes, count, CURL_BLOB_COPY };
    return curl_easy_setopt(easy, option, &blob);
}
/* CURLOPT_READFUNCTION, CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION have one shape. */
static inline CURLcode cvr_curl_set_mover(
    CURL *easy, CURLoption option, size_t (*mover)(char *bytes, size_t size, size_t count, void *context)) {
    return curl_easy_setopt(easy, option, mover);
}
static inline CURLcode cvr_curl_set_seeker(CURL *easy, int (*seeker)(void *context, curl_off_t offset, int origin)) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seeker);
}
static inline CURLcode cvr_curl_set_starter(
    CURL *easy, int (*starter)(void *context, char *remote, char *local, int remote_port, int local_port)) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, starter);
}
static inline CURLMcode cvr_curl_set_multi(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline long cvr_curl_number(CURL *easy, CURLINFO info) {
    long value = 0;
    return curl_easy_getinfo(easy, info, &value) == CURLE_OK ? value : 0;
}

/* The kernel takes no more than this many bytes that it has not sent yet: otherwise a slow link swallows megabytes at
 * once, and neither pace nor progress could be told. */
static inline int cvr_curl_bound_unsent(void *context, curl_socket_t socket, curlsocktype purpose) {
    int bytes = 256 << 10;
    (void)context;
    (void)purpose;
    /* A socket that refuses is slower to stall, no more. */
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &bytes, sizeof bytes);
    return CURL_SOCKOPT_OK;
}
static inline CURLcode cvr_curl_set_bound_unsent(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, cvr_curl_bound_unsent);
}

static inline CURLcode cvr_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
static inline CURLcode cvr_curl_resume(CURL *easy) { return curl_easy_pause(easy, CURLPAUSE_CONT); }
static inline size_t cvr_curl_pause_reading(void) { return CURL_READFUNC_PAUSE; }
static inline size_t cvr_curl_abort_reading(void) { return CURL_READFUNC_ABORT; }
