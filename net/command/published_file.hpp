#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace gelombang::command {

/// A file that is published of a draw, as whoever verifies has saved it.
struct published_file {
  enum class form : std::uint8_t { json, csv };
  std::string_view option;  ///< of the command line
  std::string path;
  form kind = form::json;
};

/// Why a file can't be verified, with its option, its path and what to do.
struct published_file_fault {
  bool is_content = false;  ///< it can be read, and is not what was published
  std::string why;
};

/// Looks whether there is a regular file, with something in it, that does not begin as some editors
/// make it: with a byte order mark. Never waits, whatever stands there.
tl::expected<void, published_file_fault> look_at(const published_file& file);

/// For a file that was found wanting: what to do where it ends as one does that was cut, as by a
/// download that broke off; nothing where it ends as a whole one does.
std::string advice_if_cut(const published_file& file);

}  // namespace gelombang::command
