#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "actors/programme/keys.hpp"
#include "actors/seed/people.hpp"

namespace gelombang::load {

/// Access tokens, one a line, that `gelombang tokens` has printed: line n is person n's. The file
/// stays where it is and is looked into, since a national one is larger than memory.
/// Const and thread-safe.
class token_file {
public:
  /// @returns why it can't be used: it can't be read, or its lines are not all of one length.
  static tl::expected<token_file, std::string> open(const std::filesystem::path& file);

  token_file(token_file&& other) noexcept;
  token_file& operator=(token_file&&) = delete;
  ~token_file();

  std::uint64_t count() const { return count_; }
  /// @param number  from 1 to `count()`
  std::string_view of(std::uint64_t number) const {
    return text_.substr((number - 1) * line_bytes_, line_bytes_ - 1);
  }

private:
  token_file() = default;

  std::string_view text_;
  std::size_t line_bytes_ = 0;
  std::uint64_t count_ = 0;
};

/// Who takes part: the people of a seed, their tokens where there are any, and the key by which
/// the codes of their letters are known without reading letters. Const and thread-safe.
struct people {
  seed::people made{1};
  std::optional<token_file> tokens;
  std::optional<keyring> keys;

  /// How many there are: as many as there are tokens, or whoever can be made.
  std::uint64_t count() const { return tokens ? tokens->count() : seed::people_max; }
};

/// Source address `number` of `count`, in network order: 127.0.0.0/8 from 127.1.0.1 on.
std::uint32_t loopback_address(std::uint64_t number, std::uint32_t count);

}  // namespace gelombang::load
