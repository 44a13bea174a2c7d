// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the classifier room: a wire message as a JSON line, for people and tests.
#pragma once

#include "base/json.h"
#include "classifier/wire.h"

// Times become RFC 3339 under the key without its _ns ("t", "first"), boots hex; what is unknown is
// left out.
void wire_line(struct json *j, const struct wire_msg *m);
