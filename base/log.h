// SPDX-License-Identifier: GPL-3.0-or-later
// What a daemon says on standard error: one line an event, for people and for the journal.
//
//     <4>gate-north: the radio gives no samples for 3.1 s; it is restarted
//
// The number before the line is syslog's level where standard error is the journal (JOURNAL_STREAM
// is set), and left out where a person reads.  Programs and alertd's loop log; rooms do not.  Input
// from the air or the network is never logged event by event: count it.
// Control characters in a line are shown as '?'.  Any thread.
#pragma once

enum log_level { LOG_ERROR = 3, LOG_WARN = 4, LOG_NOTE = 5, LOG_INFO = 6 };

void log_name(const char *name);        // before each line; "" or never called: nothing
__attribute__((format(printf, 2, 3))) void log_say(enum log_level level, const char *fmt, ...);
// A command's own refusal: one line on standard error, whatever log_name said.  2, its exit code.
__attribute__((format(printf, 2, 3))) int log_refuse(const char *program, const char *fmt, ...);
