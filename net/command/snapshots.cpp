#include "net/command/snapshots.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string_view>

#include "net/command/operator_client.hpp"
#include "storage/backup.hpp"

namespace gelombang::command {

int backup(const backup_order& order) {
  const auto wrong = [](std::string_view why) {
    fmt::print(stderr, "gelombang: {}\n", why);
    return 2;
  };
  if (order.token.empty())
    return wrong(
        fmt::format("backup: an operator's access token is needed: --token-file, or {} in "
                    "the environment",
                    token_variable));
  if (!order.target.starts_with('/'))
    return wrong(
        fmt::format("--target '{}': must be an absolute path on the node's machine", order.target));
  return call_node({.url = order.url,
                    .token = order.token,
                    .path = "/v1/operator/backups",
                    .body = boost::json::serialize(boost::json::object{{"target", order.target}})});
}

int restore(const std::string& from, const std::string& data_dir) {
  auto done = storage::restore(storage::posix_file_system(), {from}, {data_dir});
  if (done) {
    fmt::print("restored {} into {}\n", from, data_dir);
    return 0;
  }
  fmt::print(stderr, "gelombang: {}\n", done.error().detail);
  const bool is_damaged =
      done.error().kind == storage::fault::corrupt || done.error().kind == storage::fault::missing;
  return is_damaged ? 1 : 3;
}

}  // namespace gelombang::command
