#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "storage/result.hpp"

namespace gelombang::net {

/// Copies of the running node, one at a time, made on a thread of its own: a copy takes as long as
/// the disk takes. Thread-safe.
class backups {
public:
  /// What was known of the copy when it was complete.
  struct copied {
    /// What does not hold of journal and state, and what of a draw is not what the journal says, a
    /// line each.
    std::vector<std::string> damaged;
  };
  using copy = std::function<storage::result<copied>(const std::filesystem::path& target)>;
  using made = std::function<void(storage::result<copied>)>;

  /// @param make makes one, and blocks until it is there
  explicit backups(copy make) : make_(std::move(make)) {}
  ~backups() { stop(); }
  backups(const backups&) = delete;
  backups& operator=(const backups&) = delete;

  /// Copies the node into `target`, an empty or absent directory on its machine, and calls `done`
  /// on the asker's io thread.
  /// @returns false, and does nothing, while another copy is being made or after `stop`.
  bool start(std::string target, boost::asio::io_context& asker, made done);

  /// Waits for the copy that is being made; none is begun any more. Call it before the node stops.
  void stop();

private:
  const copy make_;
  std::mutex mutex_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gelombang::net
