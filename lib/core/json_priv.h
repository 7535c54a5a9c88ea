/* core/json_priv.h - shared by json*.c only. */
#pragma once

/* First byte of a raw number's string; never the first byte of UTF-8 text. */
#define PST_JSON_RAW_MARK ((char)0xFF)
