#include "load-tests/replay/cpu.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace gelombang::load::replay {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// Fields 14 and 15 of /proc/ID/stat (proc(5)): user and system time in ticks. The second, the
/// program's name, may hold blanks, and ends with the last parenthesis.
double seconds_of_process(std::int64_t id) {
  std::ifstream in{fmt::format("/proc/{}/stat", id)};
  std::string line;
  if (!std::getline(in, line) || line.rfind(')') == std::string::npos) return 0;
  std::istringstream fields{line.substr(line.rfind(')') + 1)};
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

cpu_meter::cpu_meter(std::filesystem::path node_id_file)
    : node_id_file_(std::move(node_id_file)), begun_(read()) {}

cpu_meter::reading cpu_meter::read() const {
  reading now;
  rusage own{};
  ::getrusage(RUSAGE_SELF, &own);
  now.generator = seconds_of(own.ru_utime) + seconds_of(own.ru_stime);
  if (node_id_file_.empty()) return now;
  std::ifstream{node_id_file_} >> now.node_id;
  if (now.node_id > 0) now.node = seconds_of_process(now.node_id);
  return now;
}

cpu_seconds cpu_meter::used() const {
  const auto now = read();
  const bool is_same = now.node_id > 0 && now.node_id == begun_.node_id && now.node >= begun_.node;
  return {.generator = now.generator - begun_.generator,
          .node = is_same ? now.node - begun_.node : 0};
}

}  // namespace gelombang::load::replay
