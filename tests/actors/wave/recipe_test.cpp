#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "actors/wave/draw/verify.hpp"
#include "tests/actors/wave/draw_reference.hpp"

/// The example of docs/draw.md: whoever computes it by that page must come to what stands there.
namespace gelombang::draw {
namespace {

using namespace gelombang::draw::testing;
using ::testing::HasSubstr;

std::string page() {
  std::ifstream in{GELOMBANG_SOURCE_DIR "/docs/draw.md"};
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// What stands between ```KIND and ```.
std::string block(const std::string& kind) {
  const auto text = page();
  const auto fence = "\n```" + kind + "\n";
  const auto at = text.find(fence);
  if (at == std::string::npos) return "no block " + kind;
  const auto from = at + fence.size();
  return text.substr(from, text.find("```", from) - from);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

class DrawRecipe : public ::testing::Test {
protected:
  void SetUp() override {
    write_file(place_ / "summary.json", block("json"));
    write_file(place_ / "entries.csv", block("csv"));
    const auto read = read_summary(block("json"));
    ASSERT_TRUE(read) << read.error();
    published_ = *read;
    for (const auto& line : lines_of(block("csv"))) {
      const auto row = read_row(line);
      if (row) roster_.push_back(row->entry);
    }
    ASSERT_EQ(roster_.size(), published_.entries);
  }

  /// The committed columns, as the entries' block has them.
  std::vector<std::string> leaves() const {
    std::vector<std::string> texts;
    for (const auto& line : lines_of(block("csv"))) {
      std::size_t end = 0;
      for (int column = 0; column < 5; ++column) end = line.find(',', end + (column > 0 ? 1 : 0));
      texts.push_back(line.substr(0, end));
    }
    texts.erase(texts.begin());
    return texts;
  }

  temporary_directory place_;
  summary published_;
  std::vector<roster_entry> roster_;
};

TEST_F(DrawRecipe, AgreesWithTheVerification) {
  for (const auto& entry : roster_) {
    const auto told = verify(place_ / "summary.json", place_ / "entries.csv", entry.id, 1);
    ASSERT_TRUE(told) << told.error().detail;
    EXPECT_THAT(describe(*told), HasSubstr("its Merkle proof leads to the root"));
  }
}

TEST_F(DrawRecipe, AgreesWithASecondImplementation) {
  const auto drawn =
      reference::draw(roster_, parameters_of(published_), published_.drawn->beacon_value,
                      published_.drawn->operator_secret);
  EXPECT_EQ(reference::csv(drawn), block("csv"));
  EXPECT_EQ(drawn.seed, to_hex(published_.drawn->seed));
  EXPECT_THAT(to_json(published_), HasSubstr(reference::regions_json(drawn)));
}

TEST_F(DrawRecipe, HasEveryFigureOnTheWay) {
  const auto all = leaves();
  const auto root_of = [&](std::size_t first, std::size_t last) {
    return reference::hex(
        reference::merkle_tree_hash({all.begin() + static_cast<std::ptrdiff_t>(first),
                                     all.begin() + static_cast<std::ptrdiff_t>(last) + 1}));
  };
  std::string expected;
  const auto say = [&](const std::string& name, const std::string& value) {
    expected += fmt::format("{:<11}{}\n", name, value);
  };
  for (std::size_t i = 0; i < all.size(); ++i) say(fmt::format("leaf {}", i), root_of(i, i));
  using inner_node = std::pair<std::size_t, std::size_t>;
  for (const auto& [first, last] :
       {inner_node{0, 1}, inner_node{2, 3}, inner_node{4, 5}, inner_node{6, 7}, inner_node{0, 3},
        inner_node{4, 7}, inner_node{0, 7}})
    say(fmt::format("node {}-{}", first, last), root_of(first, last));
  say("root", root_of(0, all.size() - 1));
  say("seed", to_hex(published_.drawn->seed));
  for (const std::size_t of : {5u, 8u})
    for (const auto& one : reference::path(of, all))
      say(fmt::format("path of {}", of), reference::hex(one));
  EXPECT_EQ(block("text"), expected);
}

/// What the prose says of who comes before whom.
TEST_F(DrawRecipe, IsWalkedAsThePageSays) {
  const auto order_in = [&](region_code region) {
    const ticket_machine tickets{published_.drawn->seed};
    std::map<digest, std::size_t> by_ticket;
    for (std::size_t i = 0; i < roster_.size(); ++i)
      if (roster_[i].region == region) by_ticket[tickets(roster_[i].id)] = i;
    std::string text;
    for (const auto& [ticket, index] : by_ticket)
      text += fmt::format("{}{}", text.empty() ? "" : ", ", index);
    return text;
  };
  for (const auto& one : published_.regions)
    EXPECT_THAT(page(), HasSubstr(fmt::format("**Walk of {}**, by ticket: entries {}.", one.region,
                                              order_in(one.region))));
  EXPECT_THAT(page(),
              HasSubstr(fmt::format("So 1101 has {} seat, 3171 has {}.",
                                    published_.regions[0].seats, published_.regions[1].seats)));
}

/// Not a draw in which somebody might as well have left a rule out.
TEST_F(DrawRecipe, HasSomethingOfEverything) {
  for (const auto* outcome : {",accepted,\n", ",family_full,\n", ",reserve,1\n", ",reserve,2\n"})
    EXPECT_THAT(block("csv"), HasSubstr(outcome));
}

}  // namespace
}  // namespace gelombang::draw
