/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a description that BigCommerce keeps as HTML. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buf.h"
#include "product_want.h"
#include "product_want_in.h"
#include "ban.h"

#define NAME_SIZE      12 /* of a tag or an entity; longer ones are none that matter */
#define CODE_POINT_MAX 0x10ffff

/* ---- entities ---- */

static const struct {
    const char *name, *text;
} entities[] = {{"amp", "&"},    {"lt", "<"},     {"gt", ">"},     {"quot", "\""},  {"apos", "'"},   {"nbsp", " "},
                {"ndash", "–"},  {"mdash", "—"},  {"lsquo", "‘"},  {"rsquo", "’"},  {"ldquo", "“"},  {"rdquo", "”"},
                {"hellip", "…"}, {"bull", "•"},   {"middot", "·"}, {"euro", "€"},   {"pound", "£"},  {"copy", "©"},
                {"reg", "®"},    {"trade", "™"},  {"deg", "°"},    {"times", "×"},  {"frac12", "½"}, {"auml", "ä"},
                {"ouml", "ö"},   {"uuml", "ü"},   {"Auml", "Ä"},   {"Ouml", "Ö"},   {"Uuml", "Ü"},   {"szlig", "ß"},
                {"aring", "å"},  {"Aring", "Å"},  {"oslash", "ø"}, {"Oslash", "Ø"}, {"aelig", "æ"},  {"AElig", "Æ"},
                {"eacute", "é"}, {"Eacute", "É"}, {"egrave", "è"}, {"ecirc", "ê"},  {"agrave", "à"}, {"acirc", "â"},
                {"ccedil", "ç"}, {"ntilde", "ñ"}, {"oacute", "ó"}, {"ocirc", "ô"},  {"shy", ""}};

static int digit_of(char c, int base) {
    int n = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return n < base ? n : -1;
}

/* "#228" or "#xe4", without & and ;. Numbers that are no character give nothing. */
static bool number(const char *s, size_t len, struct buf *out) {
    int base = len > 1 && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;
    size_t i = base == 16 ? 2 : 1;
    uint32_t c = 0;
    if (i >= len) {
        return false;
    }
    for (; i < len; i++) {
        int n = digit_of(s[i], base);
        if (n < 0) {
            return false;
        }
        c = c > CODE_POINT_MAX ? c : c * (uint32_t)base + (uint32_t)n;
    }
    if (c > 0 && c <= CODE_POINT_MAX && (c < 0xd800 || c > 0xdfff)) {
        want_put_char(out, c);
    }
    return true;
}

/* An entity at s, which begins with '&'; its length, or 0 if it is none. */
static size_t entity(const char *s, struct buf *out) {
    size_t len = strcspn(s + 1, "; <&");
    if (s[1 + len] != ';' || len == 0 || len > NAME_SIZE) {
        return 0;
    }
    if (s[1] == '#') {
        return number(s + 1, len, out) ? len + 2 : 0;
    }
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        if (strlen(entities[i].name) == len && strncmp(entities[i].name, s + 1, len) == 0) {
            buf_add_str(out, entities[i].text);
            return len + 2;
        }
    }
    return 0;
}

/* ---- tags ---- */

static bool among(const char *const *names, const char *name) {
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Behind the end tag of an element whose content is no text. */
static const char *skip_content(const char *s, const char *name) {
    for (const char *at = strchr(s, '<'); at != NULL; at = strchr(at + 1, '<')) {
        if (at[1] == '/' && strncasecmp(at + 2, name, strlen(name)) == 0) {
            const char *end = strchr(at, '>');
            return end != NULL ? end + 1 : at + strlen(at);
        }
    }
    return s + strlen(s);
}

/* Behind the tag that begins at s; a space for it unless it stands within a word. end: its '>'. */
static const char *tag(const char *s, const char *end, struct buf *out) {
    static const char *const within[] = {"a",   "b",   "i",    "u",    "s",    "em",   "strong", "span",
                                         "sub", "sup", "font", "mark", "abbr", "code", "small",  NULL};
    static const char *const silent[] = {"script", "style", NULL};
    char name[NAME_SIZE] = "";
    size_t len = 0;
    const char *from = s + (s[1] == '/' ? 2 : 1);
    while (len + 1 < sizeof name && isalnum((unsigned char)from[len])) {
        name[len] = from[len];
        len++;
    }
    name[len] = '\0';
    if (!among(within, name)) {
        buf_add_str(out, " ");
    }
    return s[1] != '/' && among(silent, name) ? skip_content(end + 1, name) : end + 1;
}

/* Behind the comment or the tag at s, which begins with '<'; s itself if it is neither. */
static const char *markup(const char *s, struct buf *out) {
    const char *end = NULL;
    if (strncmp(s, "<!--", 4) == 0) {
        end = strstr(s + 4, "-->");
        return end != NULL ? end + 3 : s + strlen(s);
    }
    if (!isalpha((unsigned char)s[1]) && strchr("/!?", s[1] != '\0' ? s[1] : ' ') == NULL) {
        return s;
    }
    end = strchr(s, '>');
    return end != NULL ? tag(s, end, out) : s;
}

char *want_plain_text(const char *html, size_t max) {
    struct buf raw;
    const char *last = strrchr(html, '>'); /* no tag begins behind it: else each '<' would be looked at to the end */
    buf_init(&raw, strlen(html));          /* nothing becomes longer than it was */
    while (*html != '\0') {
        const char *behind = html;
        if (*html == '<' && ((last != NULL && html < last) || strncmp(html, "<!--", 4) == 0)) {
            behind = markup(html, &raw);
        } else if (*html == '&') {
            behind = html + entity(html, &raw);
        }
        if (behind == html) {
            buf_add(&raw, html, 1);
            behind++;
        }
        html = behind;
    }
    char *text = want_text(buf_str(&raw), max);
    buf_free(&raw);
    return text;
}
