/* vector: base64, half floats, distances. */
#include "local/vector.h"

#include <assert.h>
#include <math.h>
#include <string.h>

const char *const distance_metric_words[] = {"", "cosine_distance", "euclidean_squared", NULL};

/* ---- base64 ---- */

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int
base64_value(char c)
{
    const char *at = c ? strchr(base64_digits, c) : NULL;

    return at ? (int)(at - base64_digits) : -1;
}

bool
base64_size(struct span text, size_t *ret)
{
    size_t padding = 0;

    if (text.len % 4 != 0)
        return false;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    for (size_t i = 0; i < text.len - padding; i++) {
        if (base64_value(text.ptr[i]) < 0)
            return false;
    }
    *ret = text.len / 4 * 3 - padding;
    return true;
}

void
base64_decode(struct span text, unsigned char *dst)
{
    uint32_t bits = 0;
    unsigned held = 0;

    assert(text.len % 4 == 0);
    for (size_t i = 0; i < text.len && text.ptr[i] != '='; i++) {
        int digit = base64_value(text.ptr[i]);

        assert(digit >= 0);
        bits = bits << 6 | (uint32_t)digit;
        held += 6;
        if (held >= 8) {
            held -= 8;
            *dst++ = (unsigned char)(bits >> held);
        }
    }
}

void
base64_put(struct buf *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = 0;
        char four[4];

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < n ? (unsigned char)bytes.ptr[i + k] : 0U);
        for (size_t k = 0; k < 4; k++)
            four[k] = k <= n ? base64_digits[bits >> (18 - 6 * k) & 63U] : '=';
        buf_put(out, (struct span){four, 4});
    }
}

/* ---- half floats: 1 sign, 5 exponent (bias 15), 10 fraction bits ---- */

#define HALF_MAX_ROUNDED 65520.0F /* from here on a half would round to infinity */

bool
half_from_float(float f, uint16_t *ret)
{
    float magnitude = fabsf(f);
    uint32_t bits = signbit(f) ? 0x8000U : 0;
    int exponent;
    float scaled;

    if (!(magnitude < HALF_MAX_ROUNDED))
        return false;
    (void)frexpf(magnitude, &exponent);
    if (magnitude == 0.0F || exponent < -13)
        exponent = -13; /* subnormal: the step stays 2^-24 */

    /* The step between neighbours is 2^(exponent - 11); rintf rounds ties to even.  The bit of
     * 1024 counts as one in the exponent, also when a fraction rounds up into it. */
    scaled = rintf(ldexpf(magnitude, 11 - exponent));
    bits += (uint32_t)scaled;
    if (scaled >= 1024.0F)
        bits += (uint32_t)(exponent + 13) << 10;
    *ret = (uint16_t)bits;
    return true;
}

float
half_to_float(uint16_t half)
{
    int exponent = half >> 10 & 31;
    float fraction = (float)(half & 1023);
    float magnitude =
        exponent == 0 ? ldexpf(fraction, -24) : ldexpf(fraction + 1024.0F, exponent - 25);

    assert(exponent < 31);
    return half & 0x8000U ? -magnitude : magnitude;
}

/* ---- distances ---- */

static double
euclidean_squared(const float *a, const float *b, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        double d = (double)a[i] - (double)b[i];

        sum += d * d;
    }
    return sum;
}

/* A zero vector has no direction: it is as far from everything as a right angle. */
static double
cosine_distance(const float *a, const float *b, size_t count)
{
    double dot = 0, aa = 0, bb = 0;

    for (size_t i = 0; i < count; i++) {
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? 1.0 - dot / (sqrt(aa) * sqrt(bb)) : 1.0;
}

double
vector_distance(enum distance_metric metric, const float *a, const float *b, size_t count)
{
    assert(metric != DISTANCE_NONE);
    return metric == DISTANCE_COSINE ? cosine_distance(a, b, count)
                                     : euclidean_squared(a, b, count);
}
