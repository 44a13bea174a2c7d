// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#define TYTO_VERSION "0.2.0"
