#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace gelombang::draw {

/// Calls `work(i)` for every i below `count`, on up to `threads` threads, the caller's among them.
/// Which thread does what is left open: `work` may touch only what belongs to its i.
template <class Work>
void parallel_for(unsigned threads, std::size_t count, const Work& work) {
  std::atomic<std::size_t> next{0};
  auto take_turns = [&] {
    for (auto i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) {
    helpers.emplace_back(take_turns);
  }
  take_turns();
  for (auto& helper : helpers) helper.join();
}

/// Items laid out bucket by bucket.
template <class Item>
struct buckets {
  std::unique_ptr<Item[]> items;
  std::vector<std::size_t> starts;  ///< one more than there are buckets

  std::size_t count() const { return starts.size() - 1; }
  std::span<Item> operator[](std::size_t bucket) const {
    return {items.get() + starts[bucket], starts[bucket + 1] - starts[bucket]};
  }
};

/// Distributes `make(from[i], i)` over `count` buckets by `bucket_of(from[i])`, in the order of
/// `from` within each bucket, so that the outcome does not depend on the number of threads.
template <class Item, class From, class BucketOf, class Make>
buckets<Item> partition(std::span<const From> from, std::size_t count, unsigned threads,
                        const BucketOf& bucket_of, const Make& make) {
  const std::size_t slices = std::max(1u, threads);
  auto slice_start = [&](std::size_t slice) { return from.size() * slice / slices; };
  std::vector<std::vector<std::size_t>> places(slices, std::vector<std::size_t>(count));
  parallel_for(threads, slices, [&](std::size_t slice) {
    for (auto i = slice_start(slice); i < slice_start(slice + 1); ++i) {
      ++places[slice][bucket_of(from[i])];
    }
  });
  buckets<Item> out{std::make_unique_for_overwrite<Item[]>(from.size()), {}};
  out.starts.reserve(count + 1);
  std::size_t place = 0;
  for (std::size_t bucket = 0; bucket < count; ++bucket) {
    out.starts.push_back(place);
    for (auto& slice : places) {
      auto size = slice[bucket];
      slice[bucket] = place;
      place += size;
    }
  }
  out.starts.push_back(place);
  parallel_for(threads, slices, [&](std::size_t slice) {
    for (auto i = slice_start(slice); i < slice_start(slice + 1); ++i) {
      out.items[places[slice][bucket_of(from[i])]++] = make(from[i], i);
    }
  });
  // NOLINTNEXTLINE(clang-analyzer-cplusplus.NewDeleteLeaks): moved, not leaked
  return out;
}

}  // namespace gelombang::draw
