/* Macros of libavformat's that the importer does not evaluate. */
#pragma once
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/error.h>
#include <libavutil/log.h>
static const int64_t CAV_NOPTS = AV_NOPTS_VALUE;
static const int CAV_EOF = AVERROR_EOF, CAV_EXIT = AVERROR_EXIT, CAV_INVALIDDATA = AVERROR_INVALIDDATA;
static const int CAV_PROTOCOL_NOT_FOUND = AVERROR_PROTOCOL_NOT_FOUND;
static const int CAV_HTTP_BAD_REQUEST = AVERROR_HTTP_BAD_REQUEST, CAV_HTTP_UNAUTHORIZED = AVERROR_HTTP_UNAUTHORIZED;
static const int CAV_HTTP_FORBIDDEN = AVERROR_HTTP_FORBIDDEN, CAV_HTTP_NOT_FOUND = AVERROR_HTTP_NOT_FOUND;
static const int CAV_HTTP_OTHER_4XX = AVERROR_HTTP_OTHER_4XX, CAV_HTTP_SERVER_ERROR = AVERROR_HTTP_SERVER_ERROR;
static inline int cav_error(int number) { return AVERROR(number); }
