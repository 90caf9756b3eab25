/*
 * Purpose: everything that init later takes for granted about a plan.
 * Should: look at each span and list once, before any of them is used.
 * Mustn't: change the plan, or call the system.
 */
#include "init/init.h"

#include <linux/filter.h>
#include <string.h>

static int inside(const struct plan *plan, const struct plan_span *span, size_t unit)
{
	/* Both are 32 bits wide: the sum cannot overflow in 64. */
	return (uint64_t)span->offset + span->size <= plan->size && span->size % unit == 0 &&
	       (span->size == 0 || span->offset % (unit < 8 ? unit : 8) == 0);
}

static int is_string(const struct plan *plan, const struct plan_span *span)
{
	const char *text;

	if (!inside(plan, span, 1) || span->size == 0)
		return 0;
	text = plan_at(plan, *span);
	return memchr(text, '\0', span->size) == text + span->size - 1;
}

static int is_list(const struct plan *plan, const struct plan_list *list)
{
	const char *text;
	uint32_t n = 0;

	if (!inside(plan, &list->text, 1))
		return 0;
	text = plan_at(plan, list->text);
	if (list->text.size && text[list->text.size - 1])
		return 0;
	for (uint32_t i = 0; i < list->text.size; i++)
		n += text[i] == '\0';
	return n == list->n;
}

static int is_none_or_string(const struct plan *plan, const struct plan_span *span)
{
	return span->size == 0 || is_string(plan, span);
}

static int hooks_are_good(const struct plan *plan)
{
	const struct plan_hook *hook;

	if (!inside(plan, &plan->hooks, sizeof *hook) || !inside(plan, &plan->hook_state, 1))
		return 0;
	hook = plan_at(plan, plan->hooks);
	for (size_t i = 0; i < plan->hooks.size / sizeof *hook; i++)
		if (!is_string(plan, &hook[i].path) || !is_list(plan, &hook[i].args) ||
		    hook[i].args.n == 0 || !is_list(plan, &hook[i].env))
			return 0;
	return 1;
}

int plan_check(const struct plan *plan, size_t size)
{
	if (size < sizeof *plan || size > PLAN_SIZE_MAX || plan->version != PLAN_VERSION ||
	    plan->size != size)
		return -1;
	if (!inside(plan, &plan->mempolicy_nodes, sizeof(uint64_t)) ||
	    !inside(plan, &plan->groups, sizeof(uint32_t)) ||
	    !inside(plan, &plan->filter, sizeof(struct sock_filter)) ||
	    plan->filter.size / sizeof(struct sock_filter) > BPF_MAXINSNS ||
	    !is_none_or_string(plan, &plan->apparmor) || !is_none_or_string(plan, &plan->selinux) ||
	    !inside(plan, &plan->listener_state, 1) || !hooks_are_good(plan))
		return -1;
	if (plan->flags & PLAN_NO_PROCESS)
		return 0;
	if (!is_string(plan, &plan->cwd) || !is_list(plan, &plan->args) || plan->args.n == 0 ||
	    !is_list(plan, &plan->env))
		return -1;
	return 0;
}
