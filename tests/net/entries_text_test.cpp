#include "net/programme/entries_text.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "actors/wave/draw/row.hpp"
#include "tests/actors/wave/draw_reference.hpp"

namespace gelombang::net {
namespace {

using namespace gelombang::draw::testing;
using files_ptr = std::shared_ptr<const draw::draw_files>;

/// Draws of several sizes around a step's, with something of everything in the columns.
class EntriesText : public ::testing::TestWithParam<std::size_t> {
protected:
  void SetUp() override {
    sample_ = make_sample(50, GetParam());
    for (std::size_t i = 0; i < sample_.roster.size(); ++i)
      sample_.roster[i].groups = i % 3 == 0 ? 0 : static_cast<std::uint32_t>(i * i * 1000);
    ASSERT_TRUE(draw::commit(place_ / "draw", sample_.roster, sample_.given, 2));
  }

  files_ptr files() const {
    return std::make_shared<const draw::draw_files>(
        draw::draw_files::open(place_ / "draw").value());
  }
  std::string whole() const {
    auto text = std::string{draw::entries_header};
    return text + files()->rows(0, UINT32_MAX);
  }
  static entries_text counted(const files_ptr& of) {
    entries_text text{of};
    while (text.count_more(100)) {
    }
    return text;
  }
  static std::string part_of(const entries_text& text, byte_range part) {
    std::string read;
    while (part.size() > 0) {
      const auto piece = text.beginning_of(part);
      if (piece.empty()) return "an empty piece";
      read += piece;
      part.first += piece.size();
    }
    return read;
  }
  void expect_parts() const {
    const auto expected = whole();
    const auto text = counted(files());
    ASSERT_EQ(text.bytes(), expected.size());
    EXPECT_TRUE(part_of(text, {0, expected.size()}) == expected);
    std::mt19937_64 random{7};
    for (int i = 0; i < 200; ++i) {
      const auto first = random() % expected.size();
      const auto end = first + 1 + random() % (expected.size() - first);
      ASSERT_TRUE(part_of(text, {first, end}) == expected.substr(first, end - first))
          << first << " " << end;
    }
  }

  temporary_directory place_;
  sample sample_;
};

TEST_P(EntriesText, EveryPartIsThatOfTheWholeBeforeTheDraw) {
  expect_parts();
}

TEST_P(EntriesText, EveryPartIsThatOfTheWholeAfterTheDraw) {
  ASSERT_TRUE(draw::run(place_ / "draw", sample_.beacon, sample_.secret, 2));
  expect_parts();
}

TEST_P(EntriesText, IsKnownByItsFiles) {
  entries_texts all;
  const auto first = files(), second = files();
  EXPECT_EQ(all.look_up(*first).counted, nullptr);
  all.keep(std::make_shared<const entries_text>(counted(first)));
  const auto known = all.look_up(*first);
  ASSERT_NE(known.counted, nullptr);
  EXPECT_EQ(known.counted->of(), first);
  EXPECT_EQ(known.turn, nullptr);
  EXPECT_EQ(all.look_up(*second).counted, nullptr);
}

TEST_P(EntriesText, IsCountedByOneAtATime) {
  entries_texts all;
  const auto first = files(), second = files();
  auto mine = all.look_up(*first);
  ASSERT_NE(mine.turn, nullptr);
  EXPECT_EQ(all.look_up(*first).turn, nullptr);
  EXPECT_NE(all.look_up(*second).turn, nullptr) << "other files are no concern of his";
  mine.turn.reset();
  EXPECT_NE(all.look_up(*first).turn, nullptr) << "after who has given up";
}

TEST_P(EntriesText, IsCountedOnceForAllThreads) {
  entries_texts all;
  const auto of = files();
  std::atomic<int> counts = 0, given = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (auto known = all.look_up(*of);; known = all.look_up(*of)) {
        if (known.counted) {
          ++given;
          return;
        }
        if (known.turn) {
          ++counts;
          all.keep(std::make_shared<const entries_text>(counted(of)));
        }
        std::this_thread::yield();
      }
    });
  threads.clear();
  EXPECT_EQ(counts, 1);
  EXPECT_EQ(given, 8);
  EXPECT_EQ(all.turns(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Sizes, EntriesText,
                         ::testing::Values(1, 2, entries_text::lines_a_step - 1,
                                           entries_text::lines_a_step,
                                           entries_text::lines_a_step + 1,
                                           3 * entries_text::lines_a_step, 4000));

}  // namespace
}  // namespace gelombang::net
