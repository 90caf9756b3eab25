/*
 * init/plan.h: any bytes as a plan. What init's check lets pass can be used to
 * the last byte of every span without leaving the memory that it lies in.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "init/plan_check.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sum;

static void use_bytes(const struct plan *plan, struct plan_span span)
{
	const char *bytes = plan_at(plan, span);

	for (uint32_t i = 0; i < span.size; i++)
		sum += (unsigned char)bytes[i];
}

static void use_string(const struct plan *plan, struct plan_span span)
{
	if (span.size)
		sum += strlen(plan_at(plan, span));
}

/* As executable.c does it. */
static void use_list(const struct plan *plan, const struct plan_list *list)
{
	const char *text = plan_at(plan, list->text);

	for (uint32_t i = 0; i < list->n; i++)
		text += strlen(text) + 1;
}

static void use_hooks(const struct plan *plan)
{
	const struct plan_hook *hooks = plan_at(plan, plan->hooks);

	for (size_t i = 0; i < plan->hooks.size / sizeof *hooks; i++) {
		use_string(plan, hooks[i].path);
		use_list(plan, &hooks[i].args);
		use_list(plan, &hooks[i].env);
	}
}

static void use(const struct plan *plan)
{
	const uint64_t *nodes = plan_at(plan, plan->mempolicy_nodes);
	const uint32_t *groups = plan_at(plan, plan->groups);

	for (size_t i = 0; i < plan->mempolicy_nodes.size / sizeof *nodes; i++)
		sum += nodes[i];
	for (size_t i = 0; i < plan->groups.size / sizeof *groups; i++)
		sum += groups[i];
	use_bytes(plan, plan->filter);
	use_bytes(plan, plan->listener_state);
	use_bytes(plan, plan->hook_state);
	use_string(plan, plan->apparmor);
	use_string(plan, plan->selinux);
	use_hooks(plan);
	if (plan->flags & PLAN_NO_PROCESS)
		return;
	use_string(plan, plan->cwd);
	use_list(plan, &plan->args);
	use_list(plan, &plan->env);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct plan *plan;

	if (size < sizeof *plan)
		return 0;
	/* Its own block, aligned as a mapping is, that ends where the plan ends. */
	plan = malloc(size);
	if (!plan)
		return 0;
	memcpy(plan, data, size);
	/* These two are found at once; the rest is what takes some finding. */
	plan->version = PLAN_VERSION;
	plan->size = (uint32_t)size;
	if (plan_check(plan, size) == 0)
		use(plan);
	free(plan);
	return 0;
}
