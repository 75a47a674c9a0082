#include "net/programme/services.hpp"

#include <algorithm>

#include "actors/programme/hex.hpp"
#include "actors/wave/draw/summary.hpp"

namespace gelombang::net {

std::uint64_t joined_counts::of(const runtime::node& node, wave_number wave, instant now) {
  constexpr std::chrono::seconds kept_for{1};
  {
    std::lock_guard lock{mutex_};
    auto& known = figures_[wave];
    if (now < known.until) return known.joined;
    // Whoever asks while it is summed gets the figure before.
    known.until = now + kept_for;
  }
  const auto sum = node.count({runtime::counter::family::joined, wave.value});
  std::lock_guard lock{mutex_};
  return figures_[wave].joined = static_cast<std::uint64_t>(std::max<std::int64_t>(sum, 0));
}

std::shared_ptr<const draw_pages::page> draw_pages::page_of(
    std::shared_ptr<const draw::draw_files> files) {
  constexpr std::size_t tag_bytes = 8;
  const auto wave = files->published().wave;
  std::lock_guard lock{mutex_};
  auto& kept = pages_[wave];
  if (kept && kept->of == files) return kept;
  auto made = std::make_shared<page>();
  made->json = draw::to_json(files->published());
  const auto hash = sha256(made->json);
  made->etag = '"' + to_hex(std::span(hash).first(tag_bytes)) + '"';
  made->of = std::move(files);
  kept = std::move(made);
  return kept;
}

}  // namespace gelombang::net
