#include "net/command/snapshots.hpp"

#include <fmt/format.h>

#include "net/command/operator_client.hpp"
#include "storage/backup.hpp"

namespace gelombang::command {

int backup(const backup_order& order) {
  std::string quoted;
  for (char c : order.target) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return call_node({.url = order.url,
                    .token = order.token,
                    .path = "/v1/operator/backups",
                    .body = "{\"target\":\"" + quoted + "\"}"});
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
