#include "net/command/snapshots.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <chrono>
#include <filesystem>
#include <string_view>

#include "net/command/operator_client.hpp"
#include "net/command/places.hpp"
#include "storage/backup.hpp"

namespace gelombang::command {
namespace {

/// A copy of everything, which is read through: hours, on a slow disk.
constexpr std::chrono::milliseconds as_long_as_it_takes{0};

/// @returns why nothing can be restored there, or nothing.
std::string fault_of(const std::string& from, const std::string& data_dir) {
  std::error_code unknown;
  if (std::filesystem::equivalent(from, data_dir, unknown))
    return fmt::format("--data-dir {}: is the backup itself", data_dir);
  if (holds_data(data_dir))
    return fmt::format(
        "--data-dir {}: holds data of a node, or a backup: restore into an empty one", data_dir);
  if (auto alone = check_surroundings(data_dir); !alone) return "--data-dir: " + alone.error();
  return {};
}

}  // namespace

int backup(const backup_order& order) {
  const auto wrong = [](std::string_view why) {
    fmt::print(stderr, "gelombang: {}\n", why);
    return 2;
  };
  if (order.token.empty()) return wrong(token_is_needed_for("backup"));
  if (!order.target.starts_with('/'))
    return wrong(
        fmt::format("--target '{}': must be an absolute path on the node's machine", order.target));
  return call_node({.url = order.url,
                    .token = order.token,
                    .path = "/v1/operator/backups",
                    .body = boost::json::serialize(boost::json::object{{"target", order.target}}),
                    .timeout = as_long_as_it_takes});
}

int restore(const std::string& from, const std::string& data_dir) {
  if (const auto fault = fault_of(from, data_dir); !fault.empty()) {
    fmt::print(stderr, "gelombang: {}\n", fault);
    return 2;
  }
  auto done = storage::restore(storage::posix_file_system(), {from}, {data_dir});
  if (done) {
    fmt::print("restored {} into {}\n", from, data_dir);
    return 0;
  }
  fmt::print(stderr, "gelombang: {}\n", done.error().detail);
  switch (done.error().kind) {
    case storage::fault::corrupt:
    case storage::fault::missing:
      return 1;
    case storage::fault::in_use:  // something else is in the directory
      return 2;
    default:
      return 3;
  }
}

}  // namespace gelombang::command
