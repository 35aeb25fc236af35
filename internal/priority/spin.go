// SPDX-License-Identifier: Apache-2.0

package priority

/*
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

static rlim_t soft;

// give_way runs in the thread that ran too long: the kernel prefers it for the signal. It takes real-time priority from it,
// and sets the limit again for the others, which the kernel has raised above the hard one.
static void give_way(int number) {
	int kept = errno;
	struct sched_param none = {0};
	struct rlimit limit;
	sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
	if (getrlimit(RLIMIT_RTTIME, &limit) == 0) {
		limit.rlim_cur = soft < limit.rlim_max ? soft : limit.rlim_max;
		setrlimit(RLIMIT_RTTIME, &limit);
	}
	errno = kept;
}

// limit_run returns 0 or an errno. The handler is there before the limit, because Go ends the process for this signal.
static int limit_run(rlim_t warn, rlim_t most) {
	struct rlimit limit;
	// Go needs SA_ONSTACK of all handlers, whose stacks are small.
	struct sigaction action = {.sa_handler = give_way, .sa_flags = SA_ONSTACK | SA_RESTART};
	soft = warn;
	if (sigaction(SIGXCPU, &action, NULL) != 0 || getrlimit(RLIMIT_RTTIME, &limit) != 0)
		return errno;
	limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
	limit.rlim_cur = warn < limit.rlim_max ? warn : limit.rlim_max;
	return setrlimit(RLIMIT_RTTIME, &limit) == 0 ? 0 : errno;
}
*/
import "C"

import "golang.org/x/sys/unix"

const (
	// runLimit is how many microseconds a thread with real-time priority may run without waiting for anything. rtkit refuses
	// processes whose hard limit is above its RTTimeUSecMax, 200 ms unless its administrator lowers that, so that no such
	// thread can stop the machine. The kernel ends a process beyond it.
	runLimit = 200_000

	// runWarning is where a thread loses real-time priority instead: it works on like others.
	runWarning = runLimit / 2
)

// limitRun sets both limits for this process.
func limitRun() error {
	if errno := C.limit_run(runWarning, runLimit); errno != 0 {
		return unix.Errno(errno)
	}
	return nil
}
