#!/bin/sh
# lifeline.sh PROGRAM [ARGUMENT...]: becomes PROGRAM, keeping the process id, with a watcher in its process group.
# The watcher waits on descriptor 4, a pipe whose other end only the parent holds. When the parent is gone, even by
# SIGKILL, the kernel closes that end: then PROGRAM gets SIGTERM, and after five seconds the whole group SIGKILL.
(
  trap '' TERM INT HUP
  exec 3>&- >/dev/null 2>&1
  read -r _ <&4
  kill -s TERM $$
  tries=0
  while [ $tries -lt 50 ] && kill -s 0 $$; do
    # Ended, but collected by nobody: in many containers the first process collects no orphans.
    grep -q ') Z ' /proc/$$/stat && break
    sleep 0.1 || sleep 1
    tries=$((tries + 1))
  done
  kill -s KILL -- -$$
) &
exec 4<&-
exec "$@"
