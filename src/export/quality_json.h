#ifndef TSPROF_EXPORT_QUALITY_JSON_H
#define TSPROF_EXPORT_QUALITY_JSON_H

#include "base/json_writer.h"
#include "model/profile.h"

/*
 * How far a profile can be trusted, as the object `key`: what the quality line
 * says and the numbers behind it.  Every JSON document that tsprof writes has one.
 */
void quality_json_write(struct json_writer *json, const char *key, const struct profile *profile);

#endif
