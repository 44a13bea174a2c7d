// SPDX-License-Identifier: GPL-3.0-or-later
// How this house uses libcyaml: no aliases, and its errors caught as a sentence and a place instead
// of lines on a stream.
//
//     struct yaml_told told = { 0 };
//     cyaml_config_t cfg = yaml_config(&told);
//     if (cyaml_load_data(text, len, &cfg, ...) != CYAML_OK)       told.what, told.where say why
#pragma once

#include <cyaml/cyaml.h>

struct yaml_told { char what[256], where[80]; };

cyaml_config_t yaml_config(struct yaml_told *told);     // told is borrowed while the loading lasts
