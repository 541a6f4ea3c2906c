"""What scripts/bench-memory is made of: many processes at once and their memory.

  sizes     one process's memory, from /proc
  crowd     N processes of one kind, in step
  held      one process at its end, for scripts/bench and scripts/written, too
  merging   ksmd
  live      thousands of processes
  report    tables and targets
  plot      docs/memory.svg
  programs  what runs in the processes that are measured"""
