/* The sandbox's first process: waits, reaps what the pod leaves to it, ends when told to. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int sig)
{
	(void)sig;
	_exit(0);
}

static void reap(int sig)
{
	(void)sig;
	while (waitpid(-1, NULL, WNOHANG) > 0) {
	}
}

int main(void)
{
	if (signal(SIGTERM, end) == SIG_ERR || signal(SIGINT, end) == SIG_ERR ||
	    signal(SIGCHLD, reap) == SIG_ERR)
		return EXIT_FAILURE;
	for (;;)
		pause();
}
