#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "tests/actors/wave/announcing.hpp"

namespace gelombang::rooms_test {
namespace {

TEST(WaveActor, WhoJoinsTwoWavesIsAcceptedOnce) {
  world around;
  machine one{around};
  const auto people = ready_people(one, 40);
  const auto first = one.open_wave(10), second = one.open_wave(10);
  join_all(one, people, first);
  join_all(one, people, second);
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

TEST(WaveActor, IsNotAnnouncedWhileItsDrawsFilesCannotBeUsed) {
  world around;
  machine one{around};
  const auto people = ready_people(one, 20);
  const auto wave = one.open_wave(10);
  join_all(one, people, wave);
  one.desk_in_use = true;
  ASSERT_TRUE(one.order(wave, wave::close{one.time.now()}));
  ASSERT_TRUE(one.order(wave, one.commitment()));
  ASSERT_TRUE(one.order(wave, one.draw()));
  const auto file =
      around.where.path() / "draws" / ("wave-" + std::to_string(wave.value)) / "owners.bin";
  std::ifstream in{file, std::ios::binary};
  const std::string whole{std::istreambuf_iterator<char>(in), {}};
  ASSERT_EQ(whole.size(), people.size() * sizeof(std::uint64_t));
  const auto put = [&](const std::string& bytes) {
    std::ofstream{file, std::ios::binary | std::ios::trunc} << bytes;
  };
  auto flipped = whole;
  for (std::size_t i = 0; i < flipped.size(); i += sizeof(std::uint64_t)) flipped[i] ^= 1;
  const auto rotated = whole.substr(8) + whole.substr(0, 8);
  for (const auto& damaged : {flipped, rotated, whole.substr(8), std::string{}}) {
    put(damaged);
    EXPECT_EQ(code_of(one.order(wave, wave::announce{one.time.now()})), errc::draw_damaged);
  }
  std::filesystem::remove(file);
  EXPECT_EQ(code_of(one.order(wave, wave::announce{one.time.now()})), errc::draw_damaged);
  put(whole);
  EXPECT_TRUE(one.order(wave, wave::announce{one.time.now()}));
}

enum class left_out_for { nothing, membership, family };

/// Why a person is no entry of a wave that he joined, as far as his own rows tell.
left_out_for reason_in(machine& in, applicant_id who, wave_number wave) {
  const auto own = in.standing(who, wave);
  applicant::testing::must(own);
  auto files = in.desk->files_of(wave, draw::stage::drawn);
  applicant::testing::must(files);
  if ((*files)->find(own->own.joined->entry)) return left_out_for::nothing;
  return own->is_member ? left_out_for::membership : left_out_for::family;
}

TEST(WaveActor, WhyOneIsLeftOutOfARosterFollowsFromHisRowsAlsoAfterARestart) {
  world around;
  std::vector<applicant_id> people;
  wave_number first, second;
  std::map<std::uint64_t, left_out_for> told;
  {
    machine one{around};
    people = ready_people(one, 60);
    second = one.open_wave(40), first = one.open_wave(40);
    join_all(one, people, first);
    join_all(one, people, second);
    announce(one, first);
    const auto accepted = accepted_by_files(one, first);
    std::map<std::uint64_t, int> family;
    const auto card = [&](std::uint64_t i) {
      return around.keys.family_of(one.person(i).kk.digits());
    };
    for (std::uint64_t i = 1; i <= people.size(); ++i)
      if (accepted.contains(people[i - 1].value)) ++family[card(i)];
    announce(one, second);
    std::map<left_out_for, int> seen;
    for (std::uint64_t i = 1; i <= people.size(); ++i) {
      const auto who = people[i - 1];
      const auto expected = accepted.contains(who.value) ? left_out_for::membership
                            : family[card(i)] >= 2       ? left_out_for::family
                                                         : left_out_for::nothing;
      told[who.value] = reason_in(one, who, second);
      EXPECT_EQ(told[who.value], expected) << i;
      EXPECT_EQ(reason_in(one, who, first), left_out_for::nothing);
      ++seen[expected];
    }
    EXPECT_EQ(seen.size(), 3u) << "each of them is seen";
  }
  machine again{around};
  again.settle();
  for (auto who : people) EXPECT_EQ(reason_in(again, who, second), told[who.value]);
}

}  // namespace
}  // namespace gelombang::rooms_test
