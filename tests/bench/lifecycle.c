/*
 * lifecycle ROUNDS BUNDLE RUNTIME... - how long create, start, exec, delete and run take under
 * several runtimes.
 *
 * The runtimes take turns, round by round, so that what else the machine does
 * meets all of them alike. A line for each step has its name and the median of each runtime, in
 * microseconds. A RUNTIME is a program or a quoted command line. The bundle's
 * process has to outlive its round ("sleep 100"); exec is of /bin/true in it, and run
 * of the bundle BUNDLE/true, whose process is /bin/true. The total is of create, start and delete.
 *
 * The last lines: "rss", the largest resident memory of any process of the runtime in KiB, as
 * wait4(2) has it (its children's included that it has waited for), and "faults", page faults a
 * round.
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

/* A line for each step: its name, and each runtime's median. */
static void report(struct runtime *runtimes, int n, int rounds)
{
	for (int s = 0; s < STEPS; s++) {
		printf("%s", step_names[s]);
		for (int i = 0; i < n; i++) {
			double *us = runtimes[i].us[s];

			qsort(us, (size_t)rounds, sizeof *us, by_value);
			printf(" %.0f", us[rounds / 2]);
		}
		printf("\n");
	}
	printf("rss");
	for (int i = 0; i < n; i++)
		printf(" %ld", runtimes[i].rss_kib);
	printf("\nfaults");
	for (int i = 0; i < n; i++)
		printf(" %ld", runtimes[i].faults / (rounds + WARM_UP_ROUNDS));
	printf("\n");
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
