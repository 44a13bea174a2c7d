// SPDX-License-Identifier: GPL-3.0-or-later
// A bounded queue of owned pointers between threads: any number on either end, each item to one of
// them, in one order for all (so what one thread pushed comes in its order).  No lock is taken; a
// thread sleeps only when there is nothing to pop, or no room and the queue waits.
//
// push hands the item over: after 0 the queue owns it, after an error the caller
// still does.  pop hands it back.  Live queues refuse when full, so that a slow
// stage never stalls the radio; replay queues wait, so that no sample is lost and
// two runs give the same output.
#pragma once

#include <stdbool.h>

struct queue;

enum queue_full { QUEUE_REFUSE, QUEUE_WAIT };

struct queue *queue_new(unsigned cap, enum queue_full full);    // NULL: no memory
void  queue_free(struct queue *q);          // NULL is fine; must be empty
int   queue_push(struct queue *q, void *item);      // 0, -EAGAIN full, -EPIPE closed
void *queue_pop(struct queue *q);           // waits; NULL once closed and drained
void  queue_close(struct queue *q);         // no more pushes; pops drain, then end

// For a thread that polls many things: a file descriptor that is readable while items wait, and
// from the close on (never read it yourself).  Pop with queue_try_pop until it gives NULL; only
// that makes the descriptor unreadable again.  -errno when there is none left to be had.
int   queue_fd(struct queue *q);
void *queue_try_pop(struct queue *q);       // NULL: empty just now, or ended
bool  queue_ended(struct queue *q);         // closed and drained
