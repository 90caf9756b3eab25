/*
 * lifecycle ROUNDS BUNDLE RUNTIME... - how long create, start, exec, delete and run take under
 * several runtimes.
 *
 * The runtimes take turns, round by round, so that what else the machine does
 * meets all of them alike; medians are printed, and their ratio to the first
 * runtime's. A RUNTIME is a program or a quoted command line. The bundle's
 * process has to outlive its round ("sleep 100"); exec is of /bin/true in it, and run
 * of the bundle BUNDLE/true, whose process is /bin/true. The total is of create, start and delete.
 *
 * Also printed: the largest resident memory of any process of the runtime, as
 * wait4(2) has it (its children's included that it has waited for), and page faults a round.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WARM_UP_ROUNDS = 3, WORDS_MAX = 32 };

enum step { CREATE, START, DELETE, TOTAL, EXEC, RUN, STEPS };

static const char *const step_names[STEPS] = {"create", "start", "delete", "total", "exec", "run"};

struct runtime {
	char *words[WORDS_MAX]; /* of its command line */
	int n_words;
	double *us[STEPS]; /* one a round */
	long rss_kib, faults;
};

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p) {
		perror("lifecycle");
		exit(1);
	}
	return p;
}

/* Runs one command of the runtime; its stderr is shown only if it fails. */
static double run(struct runtime *r, const char *const operands[])
{
	char *argv[WORDS_MAX + 8];
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	FILE *errors = tmpfile();
	int n = 0, status, e;
	double begin;
	pid_t pid;

	for (; n < r->n_words; n++)
		argv[n] = r->words[n];
	for (; *operands; operands++)
		argv[n++] = (char *)(uintptr_t)*operands;
	argv[n] = NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fileno(errors), 2);
	begin = now_us();
	e = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	if (e || wait4(pid, &status, 0, &usage) < 0) {
		fprintf(stderr, "lifecycle: cannot run %s: %s\n", argv[0], strerror(e));
		exit(1);
	}
	begin = now_us() - begin;
	posix_spawn_file_actions_destroy(&actions);
	if (status) {
		fprintf(stderr, "lifecycle: %s %s: wait status %#x\n", argv[0], argv[r->n_words],
			(unsigned)status);
		rewind(errors);
		for (int c = getc(errors); c != EOF; c = getc(errors))
			putc(c, stderr);
		exit(1);
	}
	fclose(errors);
	if (usage.ru_maxrss > r->rss_kib)
		r->rss_kib = usage.ru_maxrss;
	r->faults += usage.ru_minflt;
	return begin;
}

static void one_round(struct runtime *r, char *bundle, char *id, double us[STEPS])
{
	char of_true[4096];

	us[CREATE] = run(r, (const char *[]){"create", "--bundle", bundle, id, NULL});
	us[START] = run(r, (const char *[]){"start", id, NULL});
	us[EXEC] = run(r, (const char *[]){"exec", id, "/bin/true", NULL});
	us[DELETE] = run(r, (const char *[]){"delete", "--force", id, NULL});
	us[TOTAL] = us[CREATE] + us[START] + us[DELETE];
	snprintf(of_true, sizeof of_true, "%s/true", bundle);
	us[RUN] = run(r, (const char *[]){"run", "--bundle", of_true, id, NULL});
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void report(struct runtime *runtimes, int n, int rounds)
{
	printf("%-24s", "median us (ratio)");
	for (int s = 0; s < STEPS; s++)
		printf("%17s", step_names[s]);
	printf("%11s%9s%8s\n", "total p95", "RSS KiB", "faults");
	for (int i = 0; i < n; i++) {
		struct runtime *r = &runtimes[i];
		const char *slash = strrchr(r->words[0], '/');

		printf("%-24s", slash ? slash + 1 : r->words[0]);
		for (int s = 0; s < STEPS; s++) {
			qsort(r->us[s], (size_t)rounds, sizeof(double), by_value);
			printf("%9.0f (%5.2f)", r->us[s][rounds / 2],
			       r->us[s][rounds / 2] / runtimes[0].us[s][rounds / 2]);
		}
		printf("%11.0f%9ld%8ld\n", r->us[TOTAL][rounds * 95 / 100], r->rss_kib,
		       r->faults / (rounds + WARM_UP_ROUNDS));
	}
}

int main(int argc, char **argv)
{
	int rounds = argc > 3 ? atoi(argv[1]) : 0, n = argc - 3;
	struct runtime *runtimes;

	if (rounds < 1) {
		fprintf(stderr, "usage: lifecycle ROUNDS BUNDLE RUNTIME...\n");
		return 2;
	}
	runtimes = allocate((size_t)n, sizeof *runtimes);
	for (int i = 0; i < n; i++) {
		for (char *w = strtok(argv[3 + i], " "); w && runtimes[i].n_words < WORDS_MAX;
		     w = strtok(NULL, " "))
			runtimes[i].words[runtimes[i].n_words++] = w;
		for (int s = 0; s < STEPS; s++)
			runtimes[i].us[s] = allocate((size_t)rounds, sizeof(double));
	}
	for (int round = -WARM_UP_ROUNDS; round < rounds; round++)
		for (int i = 0; i < n; i++) {
			double us[STEPS];
			char id[64];

			snprintf(id, sizeof id, "lifecycle-%d-%d-%d", (int)getpid(), i,
				 round + WARM_UP_ROUNDS);
			one_round(&runtimes[i], argv[2], id, us);
			for (int s = 0; s < STEPS && round >= 0; s++)
				runtimes[i].us[s][round] = us[s];
		}
	report(runtimes, n, rounds);
	return 0;
}
