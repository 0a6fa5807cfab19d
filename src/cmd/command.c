/* command: the command line, read along the command tables. */
#include "cmd/command.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/words.h"
#include "cmd/command_help.h"

#define NAMES_MAX 64
#define PATH_SIZE 128

static const char *const log_format_words[] = {"logfmt", "json", NULL};

/* clang-format off */
const struct opt command_global_options[] = {
    {OPT_STRING(struct global_options, config), .help = "Path to puffgres.toml (default: puffgres.toml)"},
    {OPT_WORD(struct global_options, log_format), .fallback = "logfmt", .words = log_format_words,
     .help = "Form of the log on standard error"},
    {0},
};

static const struct {
    char letter;
    const char *name;
} letters[] = {{'c', "config"}, {'h', "help"}, {'V', "version"}};
/* clang-format on */

/* One command line on its way. */
struct line {
    const struct command *program;
    struct invocation *invocation;
    struct arena *arena;
    char *const *argv;
    size_t count, at;
    struct opt_value *values;
    size_t value_count;
    struct opt_value *globals;
    size_t global_count;
    bool options_over; /* after -- */
    bool help, version;
};

char
command_letter(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (strcmp(letters[i].name, name) == 0)
            return letters[i].letter;
    }
    return 0;
}

/* ---- names ---- */

static struct span
file_name(struct arena *arena, struct span flag)
{
    char *name = arena_text(arena, flag);

    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    return span_of(name);
}

static void
add_names(const struct opt *options, const char **names, size_t *count)
{
    for (const struct opt *opt = options; opt && opt->type != OPT_TYPE_END; opt++) {
        assert(*count < NAMES_MAX);
        names[(*count)++] = opt->name;
    }
}

static const char *
with_dashes(const char *name, struct arena *arena)
{
    char *text = arena_strdup(arena, name);

    for (char *c = text; *c; c++)
        *c = *c == '_' ? '-' : *c;
    return text;
}

static bool
unknown_option(const struct line *line, struct span flag, struct err *err)
{
    const struct command *command = line->invocation->command;
    const char *feature = later_find(command->later, flag, (struct span){0});
    const char *names[NAMES_MAX], *near;
    size_t count = 0;

    if (feature)
        return err_set(err, ERR_CONFIG, "--%.*s belongs to %s, which this version does not have",
                       SPAN_ARG(flag), feature);
    add_names(command->options, names, &count);
    add_names(command_global_options, names, &count);
    names[count++] = "help";
    near = word_nearest(names, count, flag);
    if (near)
        return err_set(err, ERR_CONFIG, "unknown option --%.*s; did you mean --%s?", SPAN_ARG(flag),
                       with_dashes(near, line->arena));
    return err_set(err, ERR_CONFIG, "unknown option --%.*s; --help lists them", SPAN_ARG(flag));
}

/* ---- options ---- */

static void
put_value(struct line *line, const struct opt *opt, struct span value, bool global)
{
    struct opt_value *values = global ? line->globals : line->values;
    size_t *count = global ? &line->global_count : &line->value_count;

    for (size_t i = 0; i < *count; i++) {
        if (span_eq(values[i].name, span_of(opt->name))) { /* the last one counts */
            values[i].value = value;
            return;
        }
    }
    values[*count].name = span_of(opt->name);
    values[(*count)++].value = value;
}

static bool
is_truth(const char *word)
{
    return strcmp(word, "true") == 0 || strcmp(word, "false") == 0;
}

/* Behind a flag without "=": the next word, where the option takes one. */
static bool
take_value(struct line *line, const struct opt *opt, struct span *ret, struct err *err)
{
    if (opt->type == OPT_TYPE_BOOL) {
        bool given = line->at < line->count && is_truth(line->argv[line->at]);

        *ret = given ? span_of(line->argv[line->at++]) : SPAN("true");
        return true;
    }
    if (line->at == line->count)
        return err_set(err, ERR_CONFIG, "--%s needs a value; %s",
                       with_dashes(opt->name, line->arena), opt->help);
    *ret = span_of(line->argv[line->at++]);
    return true;
}

static const struct opt *
find_option(const struct line *line, struct span name, bool *ret_global)
{
    const struct opt *options = line->invocation->command->options;
    const struct opt *opt = options ? opt_find(options, name) : NULL;

    *ret_global = !opt;
    return opt ? opt : opt_find(command_global_options, name);
}

/* --no-create-slot, when create_slot is a yes-or-no option. */
static bool
take_negation(struct line *line, struct span flag)
{
    const struct opt *opt;
    bool global;

    if (flag.len < 4 || memcmp(flag.ptr, "no-", 3) != 0)
        return false;
    opt = find_option(line, file_name(line->arena, span_skip(flag, 3)), &global);
    if (!opt || opt->type != OPT_TYPE_BOOL)
        return false;
    put_value(line, opt, SPAN("false"), global);
    return true;
}

static bool
take_flag(struct line *line, struct span flag, struct err *err)
{
    const char *equals = memchr(flag.ptr, '=', flag.len);
    struct span value = {0};
    const struct opt *opt;
    bool global;

    if (equals) {
        value = span_skip(flag, (size_t)(equals - flag.ptr) + 1);
        flag.len = (size_t)(equals - flag.ptr);
    }
    if (span_eq(flag, SPAN("help")) || span_eq(flag, SPAN("version"))) {
        *(flag.ptr[0] == 'h' ? &line->help : &line->version) = true;
        return true;
    }
    if (!equals && take_negation(line, flag))
        return true;
    opt = find_option(line, file_name(line->arena, flag), &global);
    if (!opt)
        return unknown_option(line, flag, err);
    if (!equals && !take_value(line, opt, &value, err))
        return false;
    put_value(line, opt, value, global);
    return true;
}

static bool
take_letter(struct line *line, const char *word, struct err *err)
{
    const char *name = NULL;
    char flag[PATH_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i].letter == word[1])
            name = letters[i].name;
    }
    if (!name)
        return err_set(err, ERR_CONFIG, "unknown option %s; --help lists them", word);
    if (word[2] && word[1] == 'c') {
        put_value(line, opt_find(command_global_options, span_of(name)),
                  span_of(word + 2 + (word[2] == '=')), true);
        return true;
    }
    if (word[2])
        return err_set(err, ERR_CONFIG, "unknown option %s; write -%c alone", word, word[1]);
    snprintf(flag, sizeof(flag), "%s", name);
    return take_flag(line, span_of(arena_strdup(line->arena, flag)), err);
}

/* ---- commands ---- */

static bool
unknown_command(const struct command *parent, const char *word, struct err *err)
{
    const char *names[NAMES_MAX], *near;
    size_t count = 0;

    for (const struct command *row = parent->subcommands; row->name; row++) {
        assert(count + 2 <= NAMES_MAX);
        names[count++] = row->name;
        if (row->alias)
            names[count++] = row->alias;
    }
    near = word_nearest(names, count, span_of(word));
    if (near)
        return err_set(err, ERR_CONFIG, "there is no command \"%s\"; did you mean \"%s\"?", word,
                       near);
    return err_set(err, ERR_CONFIG, "there is no command \"%s\"; --help lists them", word);
}

static bool
enter_command(struct line *line, const char *word, struct err *err)
{
    struct invocation *invocation = line->invocation;
    const struct command *parent = invocation->command;
    char path[PATH_SIZE];

    for (const struct command *row = parent->subcommands; row->name; row++) {
        if (strcmp(row->name, word) != 0 && !(row->alias && strcmp(row->alias, word) == 0))
            continue;
        snprintf(path, sizeof(path), "%s%s%s", invocation->path, *invocation->path ? " " : "",
                 row->name);
        invocation->command = row;
        invocation->path = arena_strdup(line->arena, path);
        return true;
    }
    return unknown_command(parent, word, err);
}

static bool
take_word(struct line *line, const char *word, struct err *err)
{
    struct invocation *invocation = line->invocation;

    if (!line->options_over && strcmp(word, "--") == 0) {
        line->options_over = true;
        return true;
    }
    if (!line->options_over && word[0] == '-' && word[1] == '-')
        return take_flag(line, span_of(word + 2), err);
    if (!line->options_over && word[0] == '-' && word[1])
        return take_letter(line, word, err);
    if (invocation->command->subcommands)
        return enter_command(line, word, err);
    invocation->args[invocation->arg_count++] = word;
    return true;
}

/* ---- the whole line ---- */

static bool
check_args(const struct invocation *invocation, struct err *err)
{
    const struct command *command = invocation->command;

    if (command->feature)
        return err_set(err, ERR_CONFIG, "%s: this version does not have %s", invocation->path,
                       command->feature);
    if (command->subcommands)
        return err_set(err, ERR_CONFIG, "a command is missing%s%s; --help lists them",
                       *invocation->path ? " behind " : "", invocation->path);
    if (invocation->arg_count < command->min_args)
        return err_set(err, ERR_CONFIG, "%s needs %s", invocation->path, command->args);
    if (invocation->arg_count > command->max_args)
        return err_set(err, ERR_CONFIG, "\"%s\" is one word too many for %s",
                       invocation->args[command->max_args], invocation->path);
    return true;
}

/* Unknown options of a command that is refused anyway are no news. */
static bool
is_refused(const struct line *line)
{
    return line->invocation->command->feature != NULL;
}

static bool
read_words(struct line *line, struct err *err)
{
    while (line->at < line->count) {
        if (!take_word(line, line->argv[line->at++], err))
            return is_refused(line) ? check_args(line->invocation, err) : false;
    }
    return true;
}

static bool
load_settings(struct line *line, struct err *err)
{
    struct invocation *invocation = line->invocation;
    const struct command *command = invocation->command;

    if (!opt_load(command_global_options, &invocation->global, line->globals, line->global_count,
                  line->arena, err))
        return false;
    if (!command->options)
        return true;
    invocation->settings = arena_alloc(line->arena, command->settings_size);
    return opt_load(command->options, invocation->settings, line->values, line->value_count,
                    line->arena, err);
}

bool
command_parse(const struct command *program, int argc, char *const *argv, struct arena *arena,
              struct invocation *ret, enum command_wish *ret_wish, struct err *err)
{
    size_t count = argc > 1 ? (size_t)argc - 1 : 0;
    struct invocation invocation = {
        .program = program,
        .command = program,
        .path = "",
        .args = arena_new_n(arena, const char *, count),
        .arena = arena,
    };
    struct line line = {
        .program = program,
        .invocation = &invocation,
        .arena = arena,
        .argv = argv + 1,
        .count = count,
        .values = arena_new_n(arena, struct opt_value, count),
        .globals = arena_new_n(arena, struct opt_value, count),
    };

    if (!read_words(&line, err))
        return false;
    *ret_wish = line.version ? COMMAND_VERSION : line.help ? COMMAND_HELP : COMMAND_RUN;
    if (count == 0)
        *ret_wish = COMMAND_HELP;
    if (*ret_wish == COMMAND_RUN && (!check_args(&invocation, err) || !load_settings(&line, err)))
        return false;
    *ret = invocation;
    return true;
}
