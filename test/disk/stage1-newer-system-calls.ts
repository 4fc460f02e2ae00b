/**
 * Every x86_64 system call newer than Linux 3.10 (which ends at 313, finit_module), but getrandom (318), which CentOS 7's
 * kernel has got from newer ones. From arch/x86/entry/syscalls/syscall_64.tbl.
 */
const newerSystemCalls = `
  sched_setattr sched_getattr renameat2 seccomp memfd_create kexec_file_load bpf execveat userfaultfd membarrier mlock2
  copy_file_range preadv2 pwritev2 pkey_mprotect pkey_alloc pkey_free statx io_pgetevents rseq uretprobe
  pidfd_send_signal io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsconfig fsmount fspick
  pidfd_open clone3 close_range openat2 pidfd_getfd faccessat2 process_madvise epoll_pwait2 mount_setattr quotactl_fd
  landlock_create_ruleset landlock_add_rule landlock_restrict_self memfd_secret process_mrelease futex_waitv
  set_mempolicy_home_node cachestat fchmodat2 map_shadow_stack futex_wake futex_wait futex_requeue statmount listmount
  lsm_get_self_attr lsm_set_self_attr lsm_list_modules mseal`
  .trim()
  .split(/\s+/);

/** Arguments of strace with which a program sees the system calls of Linux 3.10; what was denied goes to `logFile`. */
export function asOnLinux310(logFile: string): string[] {
  // `?`: strace does not mind names it does not know, which the running kernel then hardly knows either.
  const names = newerSystemCalls.map((name) => `?${name}`).join(",");
  return [
    "-f",
    "-qq",
    "-o",
    logFile,
    "-e",
    `trace=${names}`,
    "-e",
    "signal=none",
    "-e",
    `inject=${names}:error=ENOSYS`,
  ];
}
