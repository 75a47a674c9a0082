#pragma once

#include <filesystem>

namespace gelombang::command {

/// How many CPUs this process may use at once, 1 at least: the cores that it is bound to
/// (`sched_getaffinity`), and no more than the bandwidth that its control groups and theirs above
/// grant (`cpu.max`, or `cpu.cfs_quota_us` of version 1; cgroups(7)), rounded up. A node that runs
/// more threads than that is stopped in the middle of requests by the kernel, for all at once.
/// What can't be read grants everything. Thread-safe.
/// @param root below which `/proc` and `/sys` are looked up; another than "/" in tests.
unsigned usable_cpus(const std::filesystem::path& root = "/");

/// The same without the binding to cores: what the control groups grant, or `cores`.
unsigned cpus_granted(const std::filesystem::path& root, unsigned cores);

}  // namespace gelombang::command
