#include "net/command/manual_clock.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <charconv>
#include <fstream>

#include "actors/wave/draw/files.hpp"

namespace gelombang::command {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

instant system_now() {
  return system_clock{}.now();
}

struct kept {
  milliseconds ahead;
  instant shown;  ///< when it was written
};

/// "AHEAD SHOWN\n", both whole milliseconds.
std::optional<kept> parse(std::string_view text) {
  std::int64_t ahead = 0, shown = 0;
  const auto* const end = text.data() + text.size();
  auto [rest, fault] = std::from_chars(text.data(), end, ahead);
  if (fault != std::errc{} || rest == end || *rest != ' ') return std::nullopt;
  const auto second = std::from_chars(rest + 1, end, shown);
  if (second.ec != std::errc{} || end - second.ptr != 1 || *second.ptr != '\n') return std::nullopt;
  return kept{milliseconds{ahead}, instant{milliseconds{shown}}};
}

}  // namespace

fs::path clock_file(const fs::path& data_directory) {
  return data_directory / "CLOCK";
}

tl::expected<std::unique_ptr<ahead_clock>, std::string> ahead_clock::open(
    const fs::path& data_directory, instant start) {
  const auto file = clock_file(data_directory);
  std::unique_ptr<ahead_clock> opened{new ahead_clock{file}};
  auto ahead = start - system_now();
  if (std::ifstream in{file, std::ios::binary}; in) {
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto before = parse(text);
    if (!before) return tl::unexpected(fmt::format("{}: is no clock's file", file.string()));
    // The system's clock may have been put back meanwhile.
    ahead = std::max(before->ahead, before->shown - system_now());
  }
  if (auto written = opened->keep(ahead); !written)
    return tl::unexpected(fmt::format("{}: {}", file.string(), written.error().detail));
  opened->ahead_ms_ = ahead.count();
  return opened;
}

instant ahead_clock::now() const {
  return system_now() + milliseconds{ahead_ms_.load(std::memory_order_acquire)};
}

result<instant> ahead_clock::put_ahead_to(instant when) {
  if (when > latest) return gelombang::refuse(errc::field_invalid, "/not_before");
  std::lock_guard lock{putting_};
  if (const auto shown = now(); when <= shown) return shown;
  const auto ahead = when - system_now();
  if (auto written = keep(ahead); !written) return tl::unexpected(written.error());
  ahead_ms_.store(ahead.count(), std::memory_order_release);
  return now();
}

result<void> ahead_clock::keep(milliseconds ahead) const {
  draw::file_replacement out{file_};
  const auto shown = (system_now() + ahead).time_since_epoch().count();
  out.append(fmt::format("{} {}\n", ahead.count(), shown));
  return out.finish();
}

tl::expected<void, std::string> may_have_its_clock(const settings& with, bool had_data) {
  std::error_code unknown;
  const bool is_kept = fs::exists(clock_file(with.storage.data_dir), unknown);
  const auto wrong = [](std::string_view why) {
    return tl::unexpected(fmt::format("clock.kind: {}", why));
  };
  if (!with.clock.is_manual) {
    if (!is_kept) return {};
    return wrong(
        fmt::format("{} was begun with a clock of its own, and under the system's its time "
                    "would go back: it must stay \"manual\"",
                    with.storage.data_dir));
  }
  boost::system::error_code fault;
  if (!boost::asio::ip::make_address(with.listen.address, fault).is_loopback() || fault)
    return wrong("\"manual\" is for rehearsals: listen.address must be a loopback address");
  if (!with.listen.tls_certificate.empty())
    return wrong("\"manual\" is for rehearsals: they have no listen.tls_certificate");
  if (with.mail.kind == "smtp")
    return wrong("\"manual\" is for rehearsals: mail.kind must be \"off\" or \"directory\"");
  if (had_data && !is_kept)
    return wrong(
        fmt::format("{} was begun with the system's clock, and keeps it", with.storage.data_dir));
  return {};
}

}  // namespace gelombang::command
