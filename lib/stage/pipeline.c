#include "stage/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/own.h"

static const char hook_prefix[] = "hook ";

enum { WORDS_MAX = 128 };

/* One line, taken apart in place. */
struct line {
	const char *file;
	unsigned number;
	char *words[WORDS_MAX + 1];
	size_t n;
};

static int complain(const struct line *line, struct oci_err *err)
{
	return err_wrap(err, "%s:%u", line->file, line->number);
}

/* Ends the word that begins at *text, quotes removed; *text is moved behind it. False: no end. */
static bool take_word(char **text)
{
	char *in = *text, *out = *text, quote = 0;

	for (; *in && (quote || (*in != ' ' && *in != '\t')); in++) {
		if (quote ? *in == quote : *in == '"' || *in == '\'')
			quote = quote ? 0 : *in;
		else
			*out++ = *in;
	}
	*text = *in ? in + 1 : in;
	*out = '\0';
	return !quote;
}

static int split(struct line *line, char *text, struct oci_err *err)
{
	line->n = 0;
	for (;;) {
		text += strspn(text, " \t");
		if (!*text || *text == '#')
			break;
		if (line->n == WORDS_MAX)
			return err_set(err, FAULT_USAGE, "more than %d words", WORDS_MAX);
		line->words[line->n++] = text;
		if (!take_word(&text))
			return err_set(err, FAULT_USAGE, "a quote is not closed");
	}
	line->words[line->n] = NULL;
	return 0;
}

/* The known word nearest to a wrong one: stages, "exec" and "hook"; or hooks. */
static int unknown(const char *what, const char *word, bool hooks, struct oci_err *err)
{
	const char *candidates[32] = {NULL}, *near;
	size_t n = 0;

	if (!hooks) {
		candidates[n++] = "exec";
		candidates[n++] = "hook";
	}
	for (unsigned i = 0; i < n_stages && n + 1 < ARRAY_SIZE(candidates); i++) {
		bool hook = strncmp(stages[i].name, hook_prefix, strlen(hook_prefix)) == 0;

		if (hook == hooks)
			candidates[n++] = stages[i].name + (hook ? strlen(hook_prefix) : 0);
	}
	candidates[n] = NULL;
	near = nearest(word, candidates);
	if (near)
		return err_set(err, FAULT_USAGE, "unknown %s \"%s\" (did you mean \"%s\"?)", what,
			       word, near);
	return err_set(err, FAULT_USAGE, "unknown %s \"%s\"", what, word);
}

static struct pipeline_step *add_step(struct pipeline *p, const struct line *line,
				      struct oci_err *err)
{
	struct pipeline_step *steps;

	if (p->n == PIPELINE_STEPS_MAX) {
		err_set(err, FAULT_USAGE, "more than %d steps", PIPELINE_STEPS_MAX);
		return NULL;
	}
	steps = reallocarray(p->steps, p->n + 1, sizeof *steps);
	if (!steps) {
		err_sys(err, ENOMEM, "cannot keep the pipeline");
		return NULL;
	}
	p->steps = steps;
	steps[p->n] = (struct pipeline_step){.line = line->number};
	return &steps[p->n++];
}

static int add_stage(struct pipeline *p, const struct line *line, const struct stage *stage,
		     struct oci_err *err)
{
	struct pipeline_step *step = add_step(p, line, err);

	if (!step)
		return -1;
	step->stage = stage;
	step->name = strdup(stage->name);
	return step->name ? 0 : err_sys(err, ENOMEM, "cannot keep the pipeline");
}

static int add_hooks(struct pipeline *p, const struct line *line, struct oci_err *err)
{
	if (line->n == 1)
		return err_set(err, FAULT_USAGE,
			       "\"hook\" needs the names of hooks: prestart, "
			       "createRuntime, createContainer");
	for (size_t i = 1; i < line->n; i++) {
		const struct stage *stage;
		char name[64];

		snprintf(name, sizeof name, "%s%s", hook_prefix, line->words[i]);
		stage = stage_find(name);
		if (!stage)
			return unknown("hook", line->words[i], true, err);
		if (add_stage(p, line, stage, err) < 0)
			return -1;
	}
	return 0;
}

/* "exec /x --flag": how the step is called in state.json and in messages. */
static char *join_words(char *const *words, size_t n)
{
	size_t size = 1;
	char *text, *end;

	for (size_t i = 0; i < n; i++)
		size += strlen(words[i]) + 1;
	text = malloc(size);
	if (!text)
		return NULL;
	end = text;
	for (size_t i = 0; i < n; i++)
		end += sprintf(end, "%s%s", i ? " " : "", words[i]);
	return text;
}

static int add_exec(struct pipeline *p, const struct line *line, struct oci_err *err)
{
	struct pipeline_step *step;

	if (line->n == 1)
		return err_set(err, FAULT_USAGE, "\"exec\" needs a program");
	if (line->words[1][0] != '/')
		return err_set(err, FAULT_USAGE, "the program \"%s\" is not an absolute path",
			       line->words[1]);
	step = add_step(p, line, err);
	if (!step)
		return -1;
	step->name = join_words(line->words, line->n);
	step->argv = calloc(line->n, sizeof *step->argv);
	if (!step->name || !step->argv)
		return err_sys(err, ENOMEM, "cannot keep the pipeline");
	for (size_t i = 1; i < line->n; i++) {
		step->argv[i - 1] = strdup(line->words[i]);
		if (!step->argv[i - 1])
			return err_sys(err, ENOMEM, "cannot keep the pipeline");
	}
	return 0;
}

static int add_line(struct pipeline *p, const struct line *line, struct oci_err *err)
{
	const struct stage *stage;

	if (line->n == 0)
		return 0;
	if (strcmp(line->words[0], "exec") == 0)
		return add_exec(p, line, err);
	if (strcmp(line->words[0], "hook") == 0)
		return add_hooks(p, line, err);
	stage = stage_find(line->words[0]);
	if (!stage)
		return unknown("stage", line->words[0], false, err);
	if (line->n > 1)
		return err_set(err, FAULT_USAGE,
			       "the stage \"%s\" takes nothing, but here is \"%s\"", line->words[0],
			       line->words[1]);
	return add_stage(p, line, stage, err);
}

/* The stock stages, all of them, in the stock order, with exec lines between them. */
static int check_order(const struct pipeline *p, struct oci_err *err)
{
	const struct stage *next = stages, *end = stages + n_stages;

	for (size_t i = 0; i < p->n; i++) {
		const struct pipeline_step *step = &p->steps[i];

		if (step->stage == next) {
			next++;
			continue;
		}
		if (!step->stage && i > 0)
			continue;
		if (step->stage && step->stage < next)
			return err_set(err, FAULT_USAGE, "%s:%u: \"%s\" was there before", p->file,
				       step->line, step->name);
		err_set(err, FAULT_USAGE, "%s:%u: \"%s\" must come before \"%s\"", p->file,
			step->line, next->name, step->name);
		return err_hint(err, "all stages must be there, in the stock order");
	}
	if (next != end)
		return err_set(err, FAULT_USAGE, "%s: the stage \"%s\" is missing", p->file,
			       next->name);
	return 0;
}

static int parse_lines(struct pipeline *p, char *text, struct oci_err *err)
{
	struct line line = {.file = p->file};

	for (char *begin = text, *end; begin; begin = end) {
		end = strchr(begin, '\n');
		if (end)
			*end++ = '\0';
		line.number++;
		if (split(&line, begin, err) < 0 || add_line(p, &line, err) < 0)
			return complain(&line, err);
	}
	return check_order(p, err);
}

struct pipeline *pipeline_parse(const char *text, const char *file, struct oci_err *err)
{
	own_pipeline struct pipeline *p = calloc(1, sizeof *p);
	own_ptr char *copy = strdup(text);

	if (p)
		p->file = strdup(file);
	if (!p || !p->file || !copy) {
		err_sys(err, ENOMEM, "cannot keep the pipeline");
		return NULL;
	}
	return parse_lines(p, copy, err) < 0 ? NULL : steal_ptr(&p);
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	for (size_t i = 0; i < pipeline->n; i++) {
		struct pipeline_step *step = &pipeline->steps[i];

		for (char **arg = step->argv; arg && *arg; arg++)
			free(*arg);
		free(step->argv);
		free(step->name);
	}
	free(pipeline->steps);
	free(pipeline->file);
	free(pipeline);
}
