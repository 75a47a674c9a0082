#include "net/command/tokens.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "actors/wave/draw/parallel.hpp"

namespace gelombang::command {
namespace {

/// About 4 MB of tokens: so much is made between two writes by each thread.
constexpr std::uint64_t tokens_a_block = 16ull * 1024;
constexpr std::size_t token_bytes = 256;

class printer {
public:
  printer(const keyring& keys, const net::token_key& key, const token_order& order)
      : keys_(keys), tokens_({key}), order_(order) {}

  void append(std::string& to, std::string_view email) const {
    const auto issued =
        std::chrono::floor<std::chrono::seconds>(order_.now).time_since_epoch().count();
    to += tokens_.mint({.subject = keys_.account_of(email),
                        .session = 1,
                        .held = order_.role,
                        .issued_at = issued,
                        .expires_at = issued + order_.lifetime.count()});
    to += '\n';
  }

  /// Tokens of the applicants `first` up to `end`.
  void fill(std::string& text, std::uint64_t first, std::uint64_t end) const {
    fmt::memory_buffer email;
    text.clear();
    text.reserve((end - first) * token_bytes);
    for (auto number = first; number < end; ++number) {
      email.clear();
      fmt::format_to(std::back_inserter(email), "pemohon{}@contoh.id", number);
      append(text, {email.data(), email.size()});
    }
  }

private:
  const keyring& keys_;
  const net::access_tokens tokens_;
  const token_order& order_;
};

int write_failed() {
  fmt::print(stderr, "gelombang: tokens can't be written: {}\n", std::strerror(errno));
  return 3;
}

bool write(const std::string& text, std::FILE* out) {
  return std::fwrite(text.data(), 1, text.size(), out) == text.size();
}

bool print_applicants(const printer& all, const token_order& order, std::FILE* out) {
  const auto threads = std::max(1u, order.threads);
  std::vector<std::string> blocks(threads);
  for (std::uint64_t first = 1; first <= order.count; first += threads * tokens_a_block) {
    const auto start = [&](std::uint64_t i) {
      return std::min(first + i * tokens_a_block, order.count + 1);
    };
    draw::parallel_for(threads, threads,
                       [&](std::size_t i) { all.fill(blocks[i], start(i), start(i + 1)); });
    for (const auto& block : blocks)
      if (!write(block, out)) return false;
  }
  return true;
}

}  // namespace

int print_tokens(const keyring& keys, const net::token_key& key, const token_order& order,
                 std::FILE* out) {
  const printer all{keys, key, order};
  if (order.role == net::role::applicant) {
    if (!print_applicants(all, order, out)) return write_failed();
  } else {
    std::string text;
    all.append(text, "operator@contoh.id");
    if (!write(text, out)) return write_failed();
  }
  return std::fflush(out) == 0 ? 0 : write_failed();
}

}  // namespace gelombang::command
