#include "net/programme/services.hpp"

#include <algorithm>

#include "actors/programme/hex.hpp"
#include "actors/wave/draw/summary.hpp"

namespace gelombang::net {
namespace {

std::string tag_of(std::string_view text) {
  constexpr std::size_t tag_bytes = 8;
  const auto hash = sha256(text);
  return '"' + to_hex(std::span(hash).first(tag_bytes)) + '"';
}

draw::cancellation cancellation_of(const wave::state& wave) {
  const auto& known = wave.cancellation();
  draw::cancellation told{.reason = known.reason()};
  if (known.at() > 0) told.at = instant{std::chrono::milliseconds{known.at()}};
  return told;
}

}  // namespace

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
    const wave::state& wave, std::shared_ptr<const draw::draw_files> files) {
  const bool is_cancelled = wave.phase() == wave::wire::CANCELLED;
  std::lock_guard lock{mutex_};
  auto& kept = pages_[files->published().wave];
  if (kept && kept->of == files && kept->is_cancelled == is_cancelled) return kept;
  auto made = std::make_shared<page>();
  made->is_cancelled = is_cancelled;
  made->json = draw::to_json(files->published());
  made->entries_etag = made->etag = tag_of(made->json);
  if (is_cancelled) {
    auto told = files->published();
    told.cancelled = cancellation_of(wave);
    made->json = draw::to_json(told);
    made->etag = tag_of(made->json);
  }
  made->of = std::move(files);
  kept = std::move(made);
  return kept;
}

}  // namespace gelombang::net
