// SPDX-License-Identifier: GPL-3.0-or-later
// Inside the sdr room: the child process of one radio, as its parent sees it.
#pragma once

#include <sys/types.h>

#include "sdr/radio/ring.h"
#include "sdr/radio/talk.h"

struct child {
    pid_t  pid;                 // 0: none
    int    socket_fd, wake_fd, error_fd;    // -1: none
    void  *memory;              // the ring, NULL: none
    size_t bytes;
    bool   killed;              // and not yet seen to be dead
};

void child_init(struct child *c);
// Starts program with a fresh ring and asks it to open the device.  0 or -errno.
int  child_start(struct child *c, const char *program, const char *plugin_path,
                 const struct talk_ask *ask, const struct ring_shape *shape);
// A message; 1, 0: none waits, -EPIPE: the child has ended, -EBADMSG: it makes no sense,
// -EPROTO: it is of another version.
int  child_hear(struct child *c, union talk *ret);
int  child_ask(struct child *c, const struct talk_ask *ask);
// Takes what the driver wrote to its standard error; the last whole line into last, "" none.
void child_mutter(struct child *c, char *last, size_t size);
// Whether the child holds a device of this machine open (USB, PCI): the proof that it is no
// remote and no made-up one.
bool child_holds_device(const struct child *c);
// Kills it and lets go of everything.  False: the kernel has not let it die yet; ask again with
// child_is_gone before the device is opened anew.
bool child_kill(struct child *c);
bool child_is_gone(struct child *c);
