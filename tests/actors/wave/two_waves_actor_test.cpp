#include <gtest/gtest.h>

#include <map>

#include "tests/actors/wave/announcing.hpp"

namespace gelombang::rooms_test {
namespace {

TEST(WaveActor, WhoJoinsTwoWavesIsAcceptedOnce) {
  world around;
  machine one{around};
  std::vector<applicant_id> people;
  for (std::uint64_t i = 1; i <= 40; ++i) people.push_back(one.ready(i));
  const auto first = one.open_wave(10), second = one.open_wave(10);
  for (auto who : people) {
    ASSERT_TRUE(one.join(who, first));
    ASSERT_TRUE(one.join(who, second));
  }
  one.desk_in_use = true;
  ASSERT_TRUE(one.order(first, wave::close{one.time.now()}));
  ASSERT_TRUE(one.order(second, wave::close{one.time.now()}));
  ASSERT_TRUE(one.order(first, one.commitment()));
  EXPECT_EQ(code_of(one.order(second, one.commitment())), errc::wave_out_of_order)
      << "whom the first accepts is not known yet";
  ASSERT_TRUE(one.order(first, one.draw()));
  EXPECT_EQ(code_of(one.order(second, one.commitment())), errc::wave_out_of_order);
  announce(one, first);
  announce(one, second);
  const auto accepted = accepted_by_files(one, first), later = accepted_by_files(one, second);
  EXPECT_GT(accepted.size(), 5u);
  EXPECT_GT(later.size(), 0u);
  std::map<std::uint64_t, int> family;
  for (std::uint64_t i = 1; i <= people.size(); ++i) {
    const auto who = people[i - 1].value;
    EXPECT_FALSE(accepted.contains(who) && later.contains(who)) << "accepted twice";
    if (accepted.contains(who) || later.contains(who))
      ++family[around.keys.family_of(one.person(i).kk.digits())];
  }
  for (const auto& [card, count] : family) EXPECT_LE(count, 2) << "a third of a family";
}

}  // namespace
}  // namespace gelombang::rooms_test
