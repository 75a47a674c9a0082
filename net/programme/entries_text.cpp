#include "net/programme/entries_text.hpp"

#include <algorithm>

#include "actors/wave/draw/row.hpp"

namespace gelombang::net {

entries_text::entries_text(std::shared_ptr<const draw::draw_files> files)
    : files_(std::move(files)) {
  starts_.reserve(files_->roster().size() / lines_a_step + 2);
  starts_.push_back(draw::entries_header.size());
}

bool entries_text::count_more(std::uint32_t lines) {
  const auto all = static_cast<std::uint32_t>(files_->roster().size());
  const auto end = counted_ + std::min(lines, all - counted_);
  const auto is_drawn = files_->is_drawn();
  for (; counted_ < end; ++counted_) {
    // What was counted to so far is where this line begins.
    if (counted_ % lines_a_step == 0) starts_.push_back(starts_.back());
    const auto& entry = files_->roster()[counted_];
    starts_.back() +=
        is_drawn ? draw::row_bytes(entry, files_->verdict_of(counted_)) : draw::row_bytes(entry);
  }
  return counted_ < all;
}

std::string entries_text::beginning_of(const byte_range& part) const {
  // The header is a step of its own, before the first one of lines.
  if (part.first < draw::entries_header.size())
    return std::string{draw::entries_header.substr(part.first, part.size())};
  const auto behind = std::upper_bound(starts_.begin(), starts_.end(), part.first);
  const auto step = static_cast<std::uint32_t>(behind - starts_.begin() - 1);
  auto text = files_->rows(step * lines_a_step, lines_a_step);
  const auto skipped = part.first - starts_[step];
  return skipped < text.size() ? text.substr(skipped, part.size()) : std::string{};
}

entries_texts::standing entries_texts::look_up(const draw::draw_files& of) {
  std::lock_guard lock{mutex_};
  const auto found = kept_.find(of.published().wave);
  if (found != kept_.end() && found->second->of().get() == &of) return {found->second, nullptr};
  std::erase_if(turns_, [](const auto& one) { return one.second.expired(); });
  if (turns_.contains(&of)) return {};
  auto turn = std::make_shared<const char>();
  turns_.emplace(&of, turn);
  ++turns_given_;
  return {nullptr, std::move(turn)};
}

void entries_texts::keep(std::shared_ptr<const entries_text> counted) {
  std::lock_guard lock{mutex_};
  kept_[counted->of()->published().wave] = std::move(counted);
}

std::uint64_t entries_texts::turns() const {
  std::lock_guard lock{mutex_};
  return turns_given_;
}

}  // namespace gelombang::net
