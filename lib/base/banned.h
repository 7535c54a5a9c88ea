/*
 * base/banned.h - calls that may not be used, force-included by meson.
 *
 * Each has a safe replacement: snprintf for the string copies, pst_num_parse
 * for ato*, strtok_r's callers use pst_str_next, readdir order is sorted by
 * pst_dir_names.
 */
#pragma once

#pragma GCC poison strcpy strcat sprintf vsprintf gets strncpy strncat
#pragma GCC poison atoi atol atoll atof strtok strtok_r alloca mktemp tmpnam tempnam
#pragma GCC poison gmtime localtime ctime asctime
