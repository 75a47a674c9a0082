#include "net/share_sketch.hpp"

#include <algorithm>
#include <limits>

namespace gelombang::net {
namespace {

/// splitmix64's finish (Steele, Lea and Flood, 2014); its quarters choose the columns.
std::uint64_t mixed(std::uint64_t key) {
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9u;
  key = (key ^ key >> 27) * 0x94d049bb133111ebu;
  return key ^ key >> 31;
}

}  // namespace

void share_sketch::tick(time_point now) {
  if (now < begun_ + window_) return;
  const bool is_next = now < begun_ + 2 * window_;
  total_before_ = is_next ? total_ : 0;
  total_ = 0;
  begun_ = now;
  std::fill(counts_.begin(), counts_.end(), std::uint16_t{0});
}

void share_sketch::count(std::uint64_t key) {
  ++total_;
  auto bits = mixed(key);
  for (std::size_t row = 0; row < rows; ++row, bits >>= 16) {
    auto& cell = counts_[row * (mask_ + 1) + (bits & mask_)];
    if (cell < std::numeric_limits<std::uint16_t>::max()) ++cell;
  }
}

std::uint32_t share_sketch::of(std::uint64_t key) const {
  auto least = total_;
  auto bits = mixed(key);
  for (std::size_t row = 0; row < rows; ++row, bits >>= 16) {
    least = std::min<std::uint32_t>(least, counts_[row * (mask_ + 1) + (bits & mask_)]);
  }
  return least;
}

}  // namespace gelombang::net
