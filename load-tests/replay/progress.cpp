#include "load-tests/replay/progress.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

namespace gelombang::load::replay {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int format_number = 1;

tl::unexpected<std::string> failed(const fs::path& file) {
  return tl::unexpected(fmt::format("{}: {}", file.string(), std::strerror(errno)));
}

tl::expected<std::string, std::string> content_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) return failed(file);
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

/// Whole or not at all, and on the disk when it is there.
tl::expected<void, std::string> replace(const fs::path& file, std::string_view text) {
  auto draft = file;
  draft += ".new";
  const int out = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (out < 0) return failed(draft);
  bool is_written = true;
  while (is_written && !text.empty()) {
    const auto size = ::write(out, text.data(), text.size());
    is_written = size > 0;
    if (is_written) text.remove_prefix(static_cast<std::size_t>(size));
  }
  is_written = is_written && ::fdatasync(out) == 0;
  ::close(out);
  if (!is_written) return failed(draft);
  std::error_code fault;
  fs::rename(draft, file, fault);
  if (fault) return tl::unexpected(fmt::format("{}: {}", file.string(), fault.message()));
  return {};
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

tl::expected<std::optional<progress_file::content>, std::string> progress_file::read() const {
  const auto file = directory_ / "progress.json";
  std::error_code unknown;
  if (!fs::exists(file, unknown)) return std::optional<content>{};
  const auto text = content_of(file);
  if (!text) return tl::unexpected(text.error());
  try {
    const auto all = json::parse(*text);
    if (all.at("format").as_int64() != format_number)
      return tl::unexpected(fmt::format("{}: is of another version", file.string()));
    content read;
    read.of = {all.at("seed").to_number<std::uint64_t>(), std::string{all.at("scale").as_string()},
               std::string{all.at("timetable").as_string()}};
    read.at = {.step = all.at("step").to_number<std::size_t>(),
               .lot = all.at("lot").to_number<std::uint64_t>(),
               .part = all.at("part").to_number<std::size_t>(),
               .position = all.at("position").to_number<std::uint64_t>(),
               .is_complete = all.at("complete").as_bool()};
    auto found = findings_from_json(all.at("findings"));
    if (!found) return tl::unexpected(fmt::format("{}: {}", file.string(), found.error()));
    read.found = std::move(*found);
    return read;
  } catch (const std::exception& fault) {
    return tl::unexpected(fmt::format("{}: {}", file.string(), fault.what()));
  }
}

tl::expected<void, std::string> progress_file::write(const content& now) const {
  const json::value all{{"format", format_number},
                        {"seed", now.of.seed},
                        {"scale", now.of.scale},
                        {"timetable", now.of.digest},
                        {"step", now.at.step},
                        {"lot", now.at.lot},
                        {"part", now.at.part},
                        {"position", now.at.position},
                        {"complete", now.at.is_complete},
                        {"findings", to_json(now.found)}};
  return replace(directory_ / "progress.json", json::serialize(all) + '\n');
}

fs::path progress_file::members_of(std::uint32_t wave) const {
  return directory_ / fmt::format("members-{}", wave);
}

tl::expected<void, std::string> progress_file::write_members(std::uint32_t wave,
                                                             const bits& members) const {
  if (auto written = replace(members_of(wave), members.text()); !written) return written;
  std::error_code ignored;
  if (wave >= 2) fs::remove(members_of(wave - 2), ignored);
  return {};
}

tl::expected<void, std::string> progress_file::read_members(std::uint32_t wave, bits& into) const {
  const auto text = content_of(members_of(wave));
  if (!text) return tl::unexpected(text.error());
  if (!into.read(*text))
    return tl::unexpected(fmt::format("{}: is not of these people", members_of(wave).string()));
  return {};
}

progress_line::progress_line(const plan& all, std::chrono::steady_clock::time_point start)
    : all_(all), is_seen_(::isatty(STDERR_FILENO) == 1), told_(start) {}

void progress_line::tell(const findings& found, std::string_view doing, double rate) {
  const auto now = std::chrono::steady_clock::now();
  const auto between = is_seen_ ? std::chrono::milliseconds{300} : std::chrono::milliseconds{5000};
  if (now - told_ < between) return;
  told_ = now;
  const auto [share, left] = estimate_of(all_, found);
  const auto text = fmt::format("{:5.1f} %  {:<22} {:>9.0f}/s  {} left", share * 100, doing, rate,
                                duration_text(left));
  if (!is_seen_) {
    fmt::print(stderr, "{}\n", text);
    return;
  }
  constexpr std::size_t width = 30;
  const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
  fmt::print(stderr, "\r[{:#<{}}{:.<{}}] {}\033[K", "", full, "", width - full, text);
  std::fflush(stderr);
}

void progress_line::end() {
  if (is_seen_) fmt::print(stderr, "\n");
}

progress_line::estimate progress_line::estimate_of(const plan& all, const findings& found) {
  constexpr double guess = 20'000;  // a second, of an act that nobody has done yet
  double done = 0, total = 0, left = 0;
  for (std::size_t a = 0; a < acts; ++a) {
    const auto& one = found.by_act[a];
    const auto wanted = static_cast<double>(all.total(static_cast<act>(a)));
    // After an interruption some are done twice.
    const auto so_far = std::min(wanted, static_cast<double>(one.done));
    total += wanted;
    done += so_far;
    left += (wanted - so_far) / (one.rate() > 0 ? one.rate() : guess);
  }
  double after_joins = 0;
  for (const auto& one : found.waves)
    after_joins += one.draw_seconds + one.publish_seconds + one.verify_seconds;
  if (!found.waves.empty())
    left += after_joins / static_cast<double>(found.waves.size()) *
            static_cast<double>(all.waves() - std::min(all.waves(), found.waves.size()));
  return {.share = total > 0 ? done / total : 1, .seconds_left = left};
}

}  // namespace gelombang::load::replay
