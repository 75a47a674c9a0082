#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "actors/runtime/node.hpp"
#include "storage/result.hpp"

namespace gelombang::net {

/// Copies of the running node, one at a time, made on a thread of its own: a copy takes as long as
/// the disk takes. Thread-safe.
class backups {
public:
  using made = std::function<void(storage::result<void>)>;

  explicit backups(runtime::node& node) : node_(node) {}
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
  runtime::node& node_;
  std::mutex mutex_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace gelombang::net
