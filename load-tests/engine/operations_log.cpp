#include "load-tests/engine/operations_log.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <iterator>
#include <utility>

namespace gelombang::load {
namespace {

constexpr std::array<std::string_view, 3> fates{"acknowledged", "refused", "unknown"};

/// Cuts the first field off. A line without the comma behind it is one field.
std::string_view next_field(std::string_view& line) {
  const auto comma = line.find(',');
  const auto field = line.substr(0, comma);
  line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  return field;
}

template <class Number>
bool read_whole(std::string_view text, Number& into) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), into);
  return !text.empty() && fault == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string_view name_of(fate what) {
  return fates[static_cast<std::size_t>(what)];
}

tl::expected<std::unique_ptr<operations_log>, std::string> operations_log::create(
    const std::filesystem::path& file) {
  auto* opened = std::fopen(file.c_str(), "wx");
  if (!opened) return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  constexpr std::size_t buffer_bytes = 1u << 20;
  std::setvbuf(opened, nullptr, _IOFBF, buffer_bytes);
  return std::unique_ptr<operations_log>{new operations_log{opened, file.string()}};
}

operations_log::~operations_log() {
  if (file_) std::fclose(file_);
}

void operations_log::write(std::string_view lines) {
  if (lines.empty()) return;
  // stdio locks the file around each call, so lines of several threads do not mix.
  if (std::fwrite(lines.data(), 1, lines.size(), file_) != lines.size() && fault_.empty())
    fault_ = fmt::format("{}: {}", name_, std::strerror(errno));
}

tl::expected<void, std::string> operations_log::close() {
  if (std::fclose(std::exchange(file_, nullptr)) != 0 && fault_.empty())
    fault_ = fmt::format("{}: {}", name_, std::strerror(errno));
  if (!fault_.empty()) return tl::unexpected(fault_);
  return {};
}

void append_line(std::string& lines, const operation_entry& entry) {
  fmt::format_to(std::back_inserter(lines), "{},{},{},{},{},{},{}\n", entry.at_ms, entry.kind,
                 entry.person, entry.wave, name_of(entry.became), entry.status, entry.proof);
}

tl::expected<operation_entry, std::string> read_line(std::string_view line) {
  operation_entry entry;
  const auto at = next_field(line);
  entry.kind = next_field(line);
  const auto person = next_field(line);
  entry.wave = next_field(line);
  const auto became = next_field(line);
  const auto status = next_field(line);
  entry.proof = line;
  if (!read_whole(at, entry.at_ms)) return tl::unexpected(std::string{"at_ms is no number"});
  if (entry.kind.empty()) return tl::unexpected(std::string{"the kind is missing"});
  if (!read_whole(person, entry.person)) return tl::unexpected(std::string{"person is no number"});
  if (!read_whole(status, entry.status)) return tl::unexpected(std::string{"status is no number"});
  for (std::size_t i = 0; i < fates.size(); ++i)
    if (fates[i] == became) {
      entry.became = static_cast<fate>(i);
      return entry;
    }
  return tl::unexpected(std::string{"the fate is none of acknowledged, refused and unknown"});
}

}  // namespace gelombang::load
