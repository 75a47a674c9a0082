#include "net/command/cpus.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;

constexpr double unlimited = std::numeric_limits<double>::infinity();

std::string first_line(const fs::path& file) {
  std::string line;
  std::ifstream in{file};
  std::getline(in, line);
  return line;
}

bool lists(const std::string& comma_separated, const std::string& wanted) {
  std::istringstream names{comma_separated};
  for (std::string name; std::getline(names, name, ',');)
    if (name == wanted) return true;
  return false;
}

/// A hierarchy of control groups that limits CPUs, and where this process is in it.
struct hierarchy {
  fs::path mounted_at, mounted_root, own;
  bool is_unified;
};

/// From a line of /proc/self/mountinfo: "… ROOT MOUNT_POINT OPTIONS … - TYPE SOURCE SUPER_OPTIONS".
std::optional<hierarchy> mount_in(const std::string& line) {
  const auto separator = line.find(" - ");
  if (separator == std::string::npos) return std::nullopt;
  std::istringstream before{line.substr(0, separator)}, after{line.substr(separator + 3)};
  std::string skipped, mounted_root, mount_point, type, source, options;
  before >> skipped >> skipped >> skipped >> mounted_root >> mount_point;
  after >> type >> source >> options;
  const bool is_unified = type == "cgroup2";
  if (!is_unified && !(type == "cgroup" && lists(options, "cpu"))) return std::nullopt;
  return hierarchy{mount_point, mounted_root, {}, is_unified};
}

std::vector<hierarchy> hierarchies(const fs::path& root) {
  std::vector<hierarchy> found;
  std::ifstream mounts{root / "proc/self/mountinfo"};
  for (std::string line; std::getline(mounts, line);)
    if (auto one = mount_in(line)) found.push_back(*std::move(one));
  // "ID:CONTROLLERS:PATH"; the unified hierarchy has no controllers here.
  std::ifstream own{root / "proc/self/cgroup"};
  for (std::string line; std::getline(own, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const auto controllers = line.substr(first + 1, second - first - 1);
    for (auto& one : found)
      if (one.is_unified ? controllers.empty() : lists(controllers, "cpu"))
        one.own = line.substr(second + 1);
  }
  return found;
}

double bandwidth_of(const fs::path& group, bool is_unified) {
  double quota = 0, period = 0;
  if (is_unified) {
    std::istringstream both{first_line(group / "cpu.max")};  // "max PERIOD" is no limit
    if (!(both >> quota >> period)) return unlimited;
  } else {
    std::istringstream one{first_line(group / "cpu.cfs_quota_us")};  // -1 is no limit
    std::istringstream other{first_line(group / "cpu.cfs_period_us")};
    if (!(one >> quota) || !(other >> period)) return unlimited;
  }
  return quota > 0 && period > 0 ? quota / period : unlimited;
}

/// The tightest of the process's group and all above it, as far as they can be seen from here.
double bandwidth_in(const hierarchy& in, const fs::path& root) {
  auto below = in.own.lexically_relative(in.mounted_root);
  // In a namespace of its own the path may lie outside of what is mounted: its root is this group.
  if (below.empty() || *below.begin() == "..") below = ".";
  const auto top = root / in.mounted_at.relative_path();
  auto least = bandwidth_of(top, in.is_unified);
  auto group = top;
  for (const auto& name : below) {
    group /= name;
    least = std::min(least, bandwidth_of(group, in.is_unified));
  }
  return least;
}

unsigned cores_bound_to() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0)
    return std::max(1u, std::thread::hardware_concurrency());
  return std::max(1u, static_cast<unsigned>(CPU_COUNT(&set)));
}

}  // namespace

unsigned cpus_granted(const fs::path& root, unsigned cores) {
  double granted = cores;
  for (const auto& one : hierarchies(root)) granted = std::min(granted, bandwidth_in(one, root));
  return std::max(1u, static_cast<unsigned>(std::ceil(granted)));
}

unsigned usable_cpus(const fs::path& root) {
  return cpus_granted(root, cores_bound_to());
}

}  // namespace gelombang::command
