#include "actors/runtime/memory_ahead.hpp"

#include <gtest/gtest.h>

namespace gelombang::runtime {
namespace {

std::uint64_t touch_all(memory_ahead& ahead) {
  std::uint64_t touched = 0;
  while (ahead.wants_more()) touched += ahead.touch_some();
  return touched;
}

TEST(MemoryAhead, TouchesWhatIsWantedToTheByteAndEnds) {
  for (const std::uint64_t bytes : {1u, 4096u, 2u << 20, (5u << 20) + 17}) {
    memory_ahead ahead{bytes};
    EXPECT_EQ(touch_all(ahead), bytes);
    EXPECT_FALSE(ahead.wants_more());
  }
}

TEST(MemoryAhead, NeverTakesLongOverOneBlock) {
  memory_ahead ahead{std::uint64_t{1} << 40};
  EXPECT_EQ(ahead.touch_some(), 2u << 20);
  EXPECT_TRUE(ahead.wants_more());
}

TEST(MemoryAhead, WantsNothingUnlessConfigured) {
  memory_ahead ahead{0};
  EXPECT_FALSE(ahead.wants_more());
  EXPECT_EQ(ahead.touch_some(), 0u);
}

}  // namespace
}  // namespace gelombang::runtime
