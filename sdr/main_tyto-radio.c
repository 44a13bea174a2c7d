// SPDX-License-Identifier: GPL-3.0-or-later
// tyto-radio: one radio's driver, in a process of its own, started by the program that wants the
// samples (sdr/radio/child.c).  For people it only lists devices.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sdr/radio/jail.h"
#include "sdr/radio/ring.h"
#include "sdr/radio/soapy.h"

static const char usage[] =
    "usage: tyto radio --list [ARGS]\n"
    "\n"
    "Runs the driver of one radio for the program that started it.  For people:\n"
    "\n"
    "      --list         the devices SoapySDR finds, one a line; ARGS such as driver=rtlsdr\n"
    "                     narrows the search.  Exit 1 when there are none\n"
    "      --child        (for the starting program)\n"
    "  -h, --help         show this\n";

// A driver may hang: this thread ends the process when the parent is gone, whatever it does.
// (PR_SET_PDEATHSIG would strike when the thread that started us ends, not the program.)
static void *guard(void *arg)
{
    struct pollfd p = { .fd = TALK_SOCKET_FD, .events = POLLRDHUP };

    while (!(p.revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)))
        poll(&p, 1, -1);
    (void)arg;
    _exit(0);
}

static int child(void)
{
    struct talk_say s = { .kind = TALK_FAIL };
    struct talk_ask ask;
    pthread_t thread;

    ssize_t n = recv(TALK_SOCKET_FD, &ask, sizeof ask, 0);
    if (n >= 4 && talk_version(ask.kind) != TALK_VERSION) {
        // Who asked knows this program's kinds no better; the words go where it reads them.
        fputs("tyto-radio is of another version than the program that started it: restart that\n",
              stderr);
        return 2;
    }
    if (n != sizeof ask || ask.kind != TALK_OPEN)
        return 2;
    ask.args[sizeof ask.args - 1] = ask.antenna[sizeof ask.antenna - 1] = 0;
    ask.settings[sizeof ask.settings - 1] = 0;
    unsigned doors = jail_enter(ask.network, getenv("SOAPY_SDR_PLUGIN_PATH"), ask.args);
    struct ring_shape shape = ring_shape(ask.rate_hz, ask.block_len);
    void *memory = mmap(NULL, shape.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, TALK_MEMORY_FD, 0);
    if (memory == MAP_FAILED || pthread_create(&thread, NULL, guard, NULL))
        return 2;
    int r = soapy_run(&ask, memory, doors, s.text);
    s.code = (uint32_t)-r;
    send(TALK_SOCKET_FD, &s, sizeof s, MSG_NOSIGNAL);
    _exit(2);                   // no destructors: a driver's may hang
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--child"))
        return child();
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return fputs(usage, stdout) < 0 || fflush(stdout) ? 2 : 0;
    if ((argc == 2 || argc == 3) && !strcmp(argv[1], "--list"))
        return soapy_list(argc == 3 ? argv[2] : "", stdout) ? 0 : 1;
    fputs("tyto-radio: expected --list; tyto radio --help shows the use\n", stderr);
    return 2;
}
