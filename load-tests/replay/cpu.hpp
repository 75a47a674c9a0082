#pragma once

#include <cstdint>
#include <filesystem>

namespace gelombang::load::replay {

/// Seconds of CPU that the generator and, where it is on this machine, the node have used.
struct cpu_seconds {
  double generator = 0, node = 0;
};

/// Measures both from its making on.
class cpu_meter {
public:
  /// @param node_id_file  holds the node's process id; empty: the node is not measured
  explicit cpu_meter(std::filesystem::path node_id_file);

  /// Since it was made. Nothing of the node when it is another process by now.
  cpu_seconds used() const;

private:
  struct reading {
    double generator = 0, node = 0;
    std::int64_t node_id = 0;  ///< 0: unknown
  };
  reading read() const;

  const std::filesystem::path node_id_file_;
  const reading begun_;
};

}  // namespace gelombang::load::replay
