// SPDX-License-Identifier: GPL-3.0-or-later
// The contract's words for what the dsp room measures, and the end of a finding.
#include <assert.h>
#include <stdlib.h>

#include "dsp/burst.h"
#include "dsp/shelf.h"

const char *sig_kind_name(enum sig_kind k)
{
    static const char *const name[KIND_COUNT] = {
        [KIND_UNKNOWN] = "unknown", [KIND_LORA] = "lora", [KIND_FSK] = "fsk", [KIND_MSK] = "msk",
        [KIND_OFDM] = "ofdm", [KIND_DSSS] = "dsss", [KIND_FM] = "fm", [KIND_AM] = "am",
        [KIND_CW] = "cw",
    };
    assert((unsigned)k < KIND_COUNT);
    return name[k];
}

const char *protocol_name(enum protocol p)
{
    static const char *const name[PROTO_COUNT] = {
        [PROTO_NONE] = "none",
        [PROTO_DJI_DRONEID] = "dji-droneid",
        [PROTO_DJI_DRONEID_ENCRYPTED] = "dji-droneid-encrypted",
    };
    assert((unsigned)p < PROTO_COUNT);
    return name[p];
}

const char *product_name(enum product p)
{
    static const char *const name[PRODUCT_COUNT] = {
        [PRODUCT_NONE] = "none", [PRODUCT_DC] = "dc", [PRODUCT_IMAGE] = "image",
        [PRODUCT_THIRD] = "third-order", [PRODUCT_HARMONIC] = "harmonic",
        [PRODUCT_CLOCK] = "clock", [PRODUCT_SPUR] = "spur",
    };
    assert((unsigned)p < PRODUCT_COUNT);
    return name[p];
}

void finding_done(struct finding *f)
{
    shelf_give(f->decode);
    shelf_give(f->soft);
    f->decode = NULL;
    f->soft = NULL;
    f->n_decode = 0;
}

void finding_free(struct finding *f)
{
    if (!f)
        return;
    finding_done(f);
    if (f->shelved)
        shelf_give(f);
    else
        free(f);
}
