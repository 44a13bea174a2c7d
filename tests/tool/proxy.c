// SPDX-License-Identifier: GPL-3.0-or-later
// proxy LISTEN-PORT TARGET-PORT SOURCE-ADDRESS: carries TCP between 127.0.0.1:LISTEN-PORT and
// 127.0.0.1:TARGET-PORT, calling from SOURCE-ADDRESS (any of 127.0.0.0/8).  A link that a test can
// cut (kill it) and bring back from another address.
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAIRS 64

static int at[2 * PAIRS];       // at[2 k] and at[2 k + 1] belong together
static int n;

static struct sockaddr_in address(const char *host, const char *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    a.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    inet_pton(AF_INET, host, &a.sin_addr);
    return a;
}

static int call(const char *from, const char *port)
{
    struct sockaddr_in own = address(from, "0"), to = address("127.0.0.1", port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && (bind(fd, (struct sockaddr *)&own, sizeof own) ||
                    connect(fd, (struct sockaddr *)&to, sizeof to))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void drop(int pair)
{
    close(at[2 * pair]);
    close(at[2 * pair + 1]);
    n--;
    at[2 * pair] = at[2 * n];
    at[2 * pair + 1] = at[2 * n + 1];
}

static int carry(int from, int to)
{
    char buf[65536];
    ssize_t got = read(from, buf, sizeof buf);
    for (ssize_t done = 0, w; done < got; done += w)
        if ((w = write(to, buf + done, (size_t)(got - done))) <= 0)
            return -1;
    return got > 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: proxy LISTEN-PORT TARGET-PORT SOURCE-ADDRESS\n");
        return 2;
    }
    struct sockaddr_in own = address("127.0.0.1", argv[1]);
    int door = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (bind(door, (struct sockaddr *)&own, sizeof own) || listen(door, 16)) {
        perror("proxy");
        return 1;
    }
    for (;;) {
        struct pollfd p[2 * PAIRS + 1];
        for (int i = 0; i < 2 * n; i++)
            p[i] = (struct pollfd){ .fd = at[i], .events = POLLIN };
        p[2 * n] = (struct pollfd){ .fd = n < PAIRS ? door : -1, .events = POLLIN };
        int pairs = n;
        if (poll(p, (nfds_t)(2 * n + 1), -1) < 0)
            return 1;
        for (int k = pairs - 1; k >= 0; k--)
            for (int side = 0; side < 2; side++)
                if (p[2 * k + side].revents && carry(at[2 * k + side], at[2 * k + 1 - side])) {
                    drop(k);
                    break;
                }
        if (p[2 * pairs].revents) {
            at[2 * n] = accept(door, NULL, NULL);
            at[2 * n + 1] = call(argv[3], argv[2]);
            if (at[2 * n] >= 0 && at[2 * n + 1] >= 0)
                n++;
            else
                close(at[2 * n]), close(at[2 * n + 1]);
        }
    }
}
