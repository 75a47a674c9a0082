#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace gelombang::load {

/// What became of an operation that changes something.
enum class fate : std::uint8_t {
  acknowledged,  ///< the server has said that it is done
  refused,       ///< the server has said that it is not
  unknown        ///< no answer: it may have been done
};
std::string_view name_of(fate what);

struct operation_entry {
  std::int64_t at_ms = 0;  ///< UTC
  std::string_view kind;   ///< join, withdraw, sign_up, verify, …
  std::uint64_t person = 0;
  std::string_view wave;  ///< as it was asked for; empty where there is none
  fate became = fate::unknown;
  int status = 0;          ///< 0 without an answer
  std::string_view proof;  ///< of a join its entry id, of a sign-up its account
};

/// Writes down every operation that was asked for and what became of it, one line each:
/// `at_ms,kind,person,wave,fate,status,proof`. Thread-safe; a write that fails is told by `close`.
class operations_log {
public:
  static tl::expected<std::unique_ptr<operations_log>, std::string> create(
      const std::filesystem::path& file);
  ~operations_log();
  operations_log(const operations_log&) = delete;
  operations_log& operator=(const operations_log&) = delete;

  /// Appends whole lines, as `append_line` has made them.
  void write(std::string_view lines);

  /// @returns why not everything has been written.
  tl::expected<void, std::string> close();

private:
  operations_log(std::FILE* file, std::string name) : file_(file), name_(std::move(name)) {}

  std::FILE* file_;
  std::string name_;
  std::string fault_;
};

void append_line(std::string& lines, const operation_entry& entry);

/// @returns nothing when the line is none. The views are into `line`.
tl::expected<operation_entry, std::string> read_line(std::string_view line);

}  // namespace gelombang::load
