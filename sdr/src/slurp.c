// SPDX-License-Identifier: GPL-3.0-or-later
// Small text files from outside, whole.
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/why.h"
#include "sdr/src/source.h"

int src_slurp(const char *path, size_t max, char **ret_text, size_t *ret_len, char why[IQ_WHY])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char shown[SRC_NAME], *text = NULL;
    struct stat st;
    size_t len = 0;
    ssize_t n = 0;

    if (fd < 0)
        return src_why(why, -errno, "%s: %s", src_name(shown, path), why_error(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (size_t)st.st_size > max) {
        close(fd);
        return src_why(why, -EINVAL, "%s: expected a text file of at most %zu MB",
                       src_name(shown, path), max >> 20);
    }
    text = malloc((size_t)st.st_size + 1);
    while (text && len < (size_t)st.st_size &&
           ((n = read(fd, text + len, (size_t)st.st_size - len)) > 0 || (n < 0 && errno == EINTR)))
        len += n > 0 ? (size_t)n : 0;
    int err = !text ? ENOMEM : n < 0 ? errno : 0;
    close(fd);
    if (err) {
        free(text);
        return src_why(why, -err, "%s: %s", src_name(shown, path), why_error(err));
    }
    *ret_text = text;
    *ret_len = len;
    return 0;
}
