#pragma once

#include <boost/json/value.hpp>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "load-tests/replay/plan.hpp"

namespace gelombang::load::replay {

/// An operator who leads a node through the waves, and puts its clock ahead. Each step may be asked
/// for again: what has been done is not done twice. Waits for a node that is away, as long as its
/// patience lasts or until it is stopped. For one thread.
class officer {
public:
  struct settings {
    std::string url, token;
    std::uint64_t seed = 0;  ///< what beacons and secrets follow from
    std::chrono::seconds patience{120};
    std::function<bool()> is_stopped;
  };
  template <class T>
  using told = tl::expected<T, std::string>;

  explicit officer(settings with) : with_(std::move(with)) {}

  told<void> put_clock_to(instant when);
  /// Makes a wave, if it is not there, and has it opened by its clock.
  told<void> open(const step& wave, const plan& all);

  /// Has a wave closed by its clock, then commits, draws and announces it.
  /// @returns the seconds from the order to commit until it was announced.
  told<double> close(const step& wave);

  told<boost::json::value> read(const std::string& path, bool as_operator = false);
  told<std::string> read_text(const std::string& path, const std::string& token);
  /// Writes what stands at `path` into a file, however large it is.
  told<void> download(const std::string& path, const std::filesystem::path& file);

private:
  told<std::string> ask(const std::string& path, const std::string& token,
                        const std::optional<std::string>& body);
  struct order_to_give {
    std::string_view name, leads_to;
    std::string body;
  };
  told<void> carry_out(std::uint32_t wave, const order_to_give& what);
  told<bool> exists(std::uint32_t wave);
  told<std::string> state_of(std::uint32_t wave);
  told<void> wait_for(std::uint32_t wave, std::string_view state);

  settings with_;
};

}  // namespace gelombang::load::replay
