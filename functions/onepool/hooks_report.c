/* SPDX-License-Identifier: Apache-2.0 */
#include "buf.h"
#include "hooks.h"
#include "json.h"
#include "mode.h"
#include "text.h"
#include "ban.h"

#define PAGE_MAX ((size_t)1024 * 1024)

static const char *const deeds[] = {
    [HOOKS_NOTHING] = "nothing", [HOOKS_CREATED] = "created",   [HOOKS_CHANGED] = "changed",
    [HOOKS_REVIVED] = "revived", [HOOKS_SHADOWED] = "shadowed", [HOOKS_FAILED] = "failed"};

static const struct hooks_view *view_of(const struct hooks_report *r) {
    return r->repaired ? &r->now : &r->before;
}

static const cJSON *blocked_of(const struct hooks_report *r) {
    return json_array(view_of(r)->admin, "blocked_domains");
}

bool hooks_report_ok(const struct hooks_report *r) {
    const struct hooks_view *view = view_of(r);
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (view->lines[i].wrong != 0) {
            return false;
        }
    }
    return view->stray == 0 && cJSON_GetArraySize(blocked_of(r)) == 0 && hooks_url_problem(r->set) == NULL;
}

/* What was done about a line, or would be. */
static const char *deed_of(const struct hooks_report *r, size_t i) {
    unsigned wrong = r->before.lines[i].wrong;
    if (!r->line->hooks.dry_run || wrong == 0) {
        return deeds[r->work.deeds[i]];
    }
    return (wrong & HOOKS_NO_ROOM) != 0   ? "nothing"
           : (wrong & HOOKS_MISSING) != 0 ? "would create"
           : (wrong & HOOKS_OFF) != 0     ? "would revive"
                                          : "would change";
}

static void add_line(cJSON *list, const struct hooks_report *r, size_t i) {
    const struct hooks_line *l = &view_of(r)->lines[i];
    cJSON *o = json_new_object();
    json_add_str(o, "scope", l->wanted->scope);
    json_add_str(o, "destination", l->destination[0] != '\0' ? l->destination : NULL);
    if (l->id > 0) {
        json_add_int(o, "id", l->id);
    }
    json_add_str(o, "found_destination", json_str(l->found, "destination"));
    cJSON *problems = json_add_array(o, "problems"), *twice = json_add_array(o, "duplicates");
    for (size_t n = 0; hooks_wrong_word(l->wrong, n) != NULL; n++) {
        (void)cJSON_AddItemToArray(problems, cJSON_CreateString(hooks_wrong_word(l->wrong, n)));
    }
    for (size_t n = 0; n < l->twice_count; n++) {
        (void)cJSON_AddItemToArray(twice, cJSON_CreateNumber((double)l->twice[n]));
    }
    json_add_str(o, "done", deed_of(r, i));
    json_add_str(o, "problem", r->work.problems[i]);
    (void)cJSON_AddItemToArray(list, o);
}

static void add_others(cJSON *all, const struct hooks_report *r) {
    const struct hooks_view *view = view_of(r);
    cJSON *list = json_add_array(all, "others");
    const cJSON *hook = NULL;
    cJSON_ArrayForEach(hook, view->list) {
        int64_t id = 0;
        if (!hooks_is_line(view, hook) && json_id(hook, "id", &id)) {
            cJSON *o = json_new_object();
            json_add_int(o, "id", id);
            json_add_str(o, "scope", json_str(hook, "scope"));
            json_add_str(o, "destination", json_str(hook, "destination"));
            json_add_bool(o, "is_active", json_bool(hook, "is_active", true));
            json_add_bool(o, "comes_to_us", hooks_is_stray(view, hook, r->set->public_url));
            json_add_bool(o, "unused", hooks_is_unused(view, hook));
            (void)cJSON_AddItemToArray(list, o);
        }
    }
}

static void add_blocked(cJSON *all, const struct hooks_report *r) {
    cJSON *list = json_add_array(all, "blocked_domains");
    const cJSON *domain = NULL, *reason = NULL;
    cJSON_ArrayForEach(domain, blocked_of(r)) {
        int64_t n = 0;
        cJSON *o = json_new_object();
        json_add_str(o, "destination", json_str(domain, "destination"));
        json_add_int(o, "time_left_s", json_id(domain, "time_left", &n) ? n : 0);
        cJSON *reasons = json_add_array(o, "reasons");
        cJSON_ArrayForEach(reason, json_array(domain, "reasons")) {
            cJSON *one = json_new_object();
            json_add_str(one, "text", json_str(reason, "failure_description"));
            json_add_int(one, "count", json_id(reason, "count", &n) ? n : 0);
            (void)cJSON_AddItemToArray(reasons, one);
        }
        (void)cJSON_AddItemToArray(list, o);
    }
}

cJSON *hooks_report_json(const struct hooks_report *r) {
    cJSON *all = json_new_object();
    json_add_bool(all, "ok", hooks_report_ok(r));
    json_add_str(all, "public_url", r->set->public_url);
    json_add_str(all, "mode", mode_name(r->mode));
    cJSON *list = json_add_array(all, "hooks");
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (hooks_is_wanted(r->set, i)) {
            add_line(list, r, i);
        }
    }
    add_others(all, r);
    add_blocked(all, r);
    json_add_bool(all, "catch_up", r->work.catch_up);
    return all;
}

/* ---- as text ---- */

static void print_line(struct buf *page, const struct hooks_report *r, size_t i) {
    const struct hooks_line *l = &view_of(r)->lines[i];
    const char *destination = json_str(l->found, "destination"), *done = deed_of(r, i);
    buf_addf(page, "%-5s %-48s ", l->wrong == 0 ? "ok" : "WRONG", l->wanted->scope);
    text_safe(page, destination != NULL ? destination : l->destination);
    for (size_t n = 0; hooks_wrong_word(l->wrong, n) != NULL; n++) {
        buf_addf(page, "%s%s", n == 0 ? "  " : ", ", hooks_wrong_word(l->wrong, n));
    }
    if (r->work.deeds[i] != HOOKS_NOTHING || (r->line->hooks.dry_run && r->before.lines[i].wrong != 0)) {
        buf_addf(page, "  [%s]", done);
    }
    buf_add_str(page, "\n");
    if (r->work.problems[i][0] != '\0') {
        buf_add_str(page, "      ");
        text_safe(page, r->work.problems[i]);
        buf_add_str(page, "\n");
    }
    if (l->wrong != 0 && (l->wrong & HOOKS_MISSING) != 0) {
        buf_addf(page, "      Without it, %s.\n", l->wanted->without);
    }
}

static void print_others(struct buf *page, const struct hooks_report *r) {
    const struct hooks_view *view = view_of(r);
    const cJSON *hook = NULL;
    cJSON_ArrayForEach(hook, view->list) {
        int64_t id = 0;
        if (hooks_is_line(view, hook) || !json_id(hook, "id", &id)) {
            continue;
        }
        bool stray = hooks_is_stray(view, hook, r->set->public_url);
        buf_addf(page, "%-5s ", stray ? "WRONG" : "other");
        text_safe(page, json_str(hook, "scope") != NULL ? json_str(hook, "scope") : "?");
        buf_add_str(page, "  ");
        text_safe(page, json_str(hook, "destination") != NULL ? json_str(hook, "destination") : "?");
        buf_addf(page, "  id %lld%s%s\n", (long long)id, json_bool(hook, "is_active", true) ? "" : ", inactive",
                 stray ? "; comes to us and is not wanted: delete it, or BigCommerce may block the domain"
                 : hooks_is_unused(view, hook) ? "; comes to us, and the mapping makes no use of it"
                                               : "");
    }
}

static void print_blocked(struct buf *page, const struct hooks_report *r) {
    const cJSON *domain = NULL, *reason = NULL;
    cJSON_ArrayForEach(domain, blocked_of(r)) {
        int64_t n = 0;
        char left[TEXT_AGE_SIZE];
        text_age((json_id(domain, "time_left", &n) ? n : 0) * 1000, left);
        buf_add_str(page, "BLOCKED ");
        text_safe(page, json_str(domain, "destination") != NULL ? json_str(domain, "destination") : "?");
        buf_addf(page, " for another %s:", left);
        cJSON_ArrayForEach(reason, json_array(domain, "reasons")) {
            const char *text = json_str(reason, "failure_description");
            buf_add_str(page, " ");
            text_safe(page, text != NULL ? text : "no reason given");
            buf_addf(page, " (%lld times)", (long long)(json_id(reason, "count", &n) ? n : 0));
        }
        buf_add_str(page, "\n");
    }
}

static void print_end(struct buf *page, const struct hooks_report *r) {
    const char *problem = hooks_url_problem(r->set);
    bool shadowed = false;
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        shadowed = shadowed || r->work.deeds[i] == HOOKS_SHADOWED;
    }
    if (problem != NULL) {
        buf_addf(page, "%s.\n", problem);
    }
    if (shadowed) {
        buf_add_str(
            page, "Shadow mode: what is to be written was recorded and not sent. To register the webhooks before the\n"
                  "baseline is accepted, run this one command with ONEPOOL_MODE=live.\n");
    }
    if (r->work.catch_up) {
        buf_add_str(page, "A webhook was silent: what changed in that time is read again now.\n");
    }
    if (hooks_report_ok(r)) {
        buf_add_str(page, "All webhooks are right.\n");
    } else if (!r->repaired && problem == NULL) {
        buf_add_str(page, "To put right what is wrong: onepool hooks --repair (--dry-run shows what it would do)\n");
    }
}

void hooks_report_print(const struct hooks_report *r) {
    struct buf page;
    buf_init(&page, PAGE_MAX);
    for (size_t i = 0; i < HOOKS_WANTED; i++) {
        if (hooks_is_wanted(r->set, i)) {
            print_line(&page, r, i);
        }
    }
    print_others(&page, r);
    print_blocked(&page, r);
    print_end(&page, r);
    command_print(&page);
}
