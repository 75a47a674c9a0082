#pragma once

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stop_token>
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
    /// What does not hold of journal and state, or was not read through, and what of a draw is not
    /// what the journal says, a line each.
    std::vector<std::string> warnings;
  };
  using copy = std::function<storage::result<copied>(const std::filesystem::path& target,
                                                     const std::stop_token& until)>;
  using made = std::function<void(storage::result<copied>)>;

  /// @param make makes one, and blocks until it is there, or it is told to stop
  explicit backups(copy make) : make_(std::move(make)) {}
  ~backups() { stop(); }
  backups(const backups&) = delete;
  backups& operator=(const backups&) = delete;

  /// Copies the node into `target`, an empty or absent directory on its machine, and calls `done`
  /// on the asker's io thread.
  /// @returns false, and does nothing, while another copy is being made or after `stop`.
  bool start(std::string target, boost::asio::io_context& asker, made done);

  /// Tells the copy that is being made to end at its next step; none is begun any more. Call it
  /// while whoever asked for the copy can still be answered.
  void interrupt();

  /// The same, and waits for the copy's end. Call it before the node stops.
  void stop();

private:
  const copy make_;
  std::mutex mutex_;
  bool busy_ = false;
  std::stop_source stopping_;
  std::thread thread_;
};

}  // namespace gelombang::net
