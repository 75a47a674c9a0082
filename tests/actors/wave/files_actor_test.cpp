#include <filesystem>
#include <fstream>
#include <utility>

#include "tests/actors/wave/drawn_wave.hpp"

/// The files of a draw beside what the journal says of it: lost, altered, ahead.
namespace gelombang::rooms_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST_F(DrawnWave, FilesThatAreLostAreMadeAgainToTheByteAtAStart) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  ASSERT_EQ(whole.size(), 6u);
  for (const auto& [name, bytes] : whole) {
    fs::remove(folder() / name);
    machine one{around_};
    look_after(one);
    EXPECT_EQ(files(), whole) << name;
    EXPECT_EQ(refusal_of_files(one).code, errc::ok);
    EXPECT_EQ(log_.lines_with("/" + name + ": is not there"), 1);
  }
  fs::remove_all(folder().parent_path());
  machine one{around_};
  look_after(one);
  EXPECT_EQ(files(), whole);
  EXPECT_EQ(fs::exists(folder().string() + ".again"), false);
  take_to(one, wave::wire::ANNOUNCED);
}

TEST_F(DrawnWave, WhatAKillLeavesOfMakingFilesAgainIsTakenAway) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  const fs::path left = folder().string() + ".again";
  fs::create_directories(left);
  std::ofstream{left / "roster.bin"} << "half of it";
  machine one{around_};
  look_after(one);
  EXPECT_FALSE(fs::exists(left));
  EXPECT_EQ(files(), whole);
}

TEST_F(DrawnWave, CancelledAfterItsCommitmentGetsItsFilesBackWhileItsEntriesAreThere) {
  take_to(wave::wire::COMMITTED);
  const auto whole = files();
  {
    machine one{around_};
    one.settle();
    applicant::testing::must(one.order(number_, wave::cancel{one.time.now()}));
    ASSERT_EQ(phase_of(one, number_), wave::wire::CANCELLED);
  }
  fs::remove_all(folder());
  {
    machine one{around_};
    look_after(one);
    EXPECT_EQ(files(), whole);
  }
  fs::remove(folder() / "roster.bin");
  machine one{around_};
  one.settle();
  const auto next = one.open_wave(10);
  for (std::uint64_t i = 1; i <= 20; ++i) join_all(one, {one.account(i)}, next);
  announce(one, next);
  look_after(one);
  EXPECT_FALSE(fs::exists(folder() / "roster.bin")) << "members are no entries any more";
  EXPECT_EQ(log_.lines_with("It is cancelled, nobody needs it"), 1);
  EXPECT_EQ(log_.lines_with("restore from a backup"), 0);
}

TEST_F(DrawnWave, OfWavesThatAreOverAStartReadsTheNewestsOutcomesAlone) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  auto spoilt = whole;
  spoilt["verdicts.bin"].back() = '\xff';
  put(spoilt);
  {
    machine one{around_};
    look_after(one);
    EXPECT_EQ(log_.lines_with("has an outcome unknown"), 2) << "found, and not mended";
  }
  put(whole);
  take_to(wave::wire::ANNOUNCED);
  put(spoilt);
  {
    machine one{around_};
    look_after(one);
    EXPECT_EQ(log_.lines_with("has an outcome unknown"), 3) << "before anybody asks";
    EXPECT_EQ(refusal_of_files(one).code, errc::draw_damaged);
    one.desk_in_use = true;
    const auto first = std::exchange(number_, one.open_wave(10));
    take_to(one, wave::wire::ANNOUNCED);
    number_ = first;
  }
  const auto told = log_.lines_with("has an outcome unknown");
  machine one{around_};
  look_after(one);
  EXPECT_EQ(log_.lines_with("has an outcome unknown"), told);
  EXPECT_EQ(refusal_of_files(one).code, errc::draw_damaged) << "where it is to be shown";
}

TEST_F(DrawnWave, BetweenCommitmentAndDrawWhatIsLostIsMadeAgainAsWell) {
  take_to(wave::wire::COMMITTED);
  const auto whole = files();
  fs::remove_all(folder());
  machine one{around_};
  look_after(one);
  EXPECT_EQ(files(), whole);
  fs::remove(folder() / "roster.bin");
  take_to(one, wave::wire::DRAWN);
}

TEST_F(DrawnWave, WhatIsAlteredIsNeitherShownNorOverwritten) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  for (const auto* name : {"drawn.json", "committed.json"}) {
    replace(name, "\"weight\":1000", "\"weight\":1001");
    const auto altered = files();
    machine one{around_};
    look_after(one);
    EXPECT_EQ(files(), altered);
    EXPECT_EQ(log_.lines_with(std::string{"wave-1/"} + name + ": is not the summary"), 2)
        << "found, and not mended";
    const bool is_shown = std::string_view{name} == "committed.json";
    EXPECT_EQ(refusal_of_files(one).code, is_shown ? errc::ok : errc::draw_damaged);
    put(whole);
  }
}

TEST_F(DrawnWave, IsDrawnByWhatWasCommittedToAndNothingElse) {
  take_to(wave::wire::COMMITTED);
  const auto whole = files();
  replace("committed.json", "\"seats\":1", "\"seats\":2");
  machine one{around_};
  one.settle();
  one.desk_in_use = true;
  const auto told = one.order(number_, one.draw());
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::draw_damaged);
  EXPECT_THAT(told.error().detail, HasSubstr("wave-1/committed.json"));
  EXPECT_EQ(phase_of(one, number_), wave::wire::COMMITTED);
  put(whole);
  take_to(one, wave::wire::DRAWN);
}

/// As NEWEST and the newest segment taken away together leave it.
TEST_F(DrawnWave, WhoseDrawTheJournalHasForgottenIsNotDrawnWithOtherRandomness) {
  take_to(wave::wire::COMMITTED);
  auto journal = around_.disk->after_kill();
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  around_.disk = std::move(journal);
  machine one{around_};
  look_after(one);
  ASSERT_EQ(phase_of(one, number_), wave::wire::COMMITTED);
  EXPECT_EQ(log_.lines_with("wave-1/drawn.json: is there, and the journal knows nothing of it"), 1);
  const auto told = one.order(number_, other_draw(one));
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::wave_out_of_order);
  EXPECT_EQ(told.error().detail, wave::drawn_otherwise);
  EXPECT_EQ(files(), whole);
  take_to(one, wave::wire::DRAWN);
  EXPECT_EQ(files(), whole) << "the same draw once more";
}

TEST_F(DrawnWave, WhoseCommitmentTheJournalHasForgottenIsNotCommittedToAnother) {
  take_to(wave::wire::CLOSED);
  auto journal = around_.disk->after_kill();
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  around_.disk = std::move(journal);
  machine one{around_};
  look_after(one);
  ASSERT_EQ(phase_of(one, number_), wave::wire::CLOSED);
  auto other = one.commitment();
  other.beacon_round += 1;
  const auto told = one.order(number_, other);
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().detail, wave::drawn_otherwise);
  EXPECT_EQ(files(), whole);
  take_to(one, wave::wire::DRAWN);
  EXPECT_EQ(files(), whole);
}

TEST_F(DrawnWave, AnnouncementUnderWayWithDamagedFilesIsAnsweredAndLoggedOnce) {
  ASSERT_NO_FATAL_FAILURE(stop_while_announcing());
  const auto whole = files();
  auto damaged = whole;
  damaged["owners.bin"][0] ^= 1;
  for (std::size_t i = 0; i < damaged["owners.bin"].size(); i += 8) damaged["owners.bin"][i] ^= 2;
  put(damaged);
  const auto before = log_.lines_with(computed_again);
  machine one{around_};
  one.desk_in_use = true;
  one.settle();
  for (int seconds = 0; seconds < 120; ++seconds) one.advance(1s);
  EXPECT_EQ(log_.lines_with(computed_again), before + 1) << "they are still the same files";
  EXPECT_EQ(log_.lines_with("wave-1/owners.bin"), 1) << "each shard asks every few seconds";
  const auto told = one.order(number_, wave::announce{one.time.now()});
  ASSERT_FALSE(told);
  EXPECT_EQ(told.error().code, errc::draw_damaged);
  EXPECT_THAT(told.error().detail, HasSubstr("wave-1/owners.bin"));
  one.advance(10min);
  for (int seconds = 0; seconds < 60; ++seconds) one.advance(1s);
  EXPECT_EQ(log_.lines_with("wave-1/owners.bin"), 2) << "a long time later, once more";
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCING);
  put(whole);
  for (int seconds = 0; seconds < 10; ++seconds) one.advance(1s);
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCED) << "by itself";
}

TEST_F(DrawnWave, NobodyBecomesAMemberByAlteredOutcomes) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  machine one{around_};
  one.settle();
  accept_all();
  expect_not_announced(one, "outcome");
  expect_not_announced(one, "outcome");
  EXPECT_EQ(log_.lines_with(computed_again), 1) << "the same files say the same";
  put(whole);
  take_to(one, wave::wire::ANNOUNCED);
  EXPECT_EQ(one.running->count({runtime::counter::family::accepted, number_.value}), 10);
}

TEST_F(DrawnWave, NobodyBecomesAMemberByAnAlteredRoster) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  machine one{around_};
  one.settle();
  flip("roster.bin", 64 + sizeof(entry_id), 1);  // the first entry's family
  expect_not_announced(one, "wave-1/tree.bin: is not the tree over roster.bin");
  put(whole);
  take_to(one, wave::wire::ANNOUNCED);
}

TEST_F(DrawnWave, WhatThisProcessHasDrawnIsComputedAgainOnlyIfAltered) {
  {
    machine one{around_};
    one.settle();
    take_to(one, wave::wire::DRAWN);
    const auto whole = files();
    accept_all();
    expect_not_announced(one, "outcome");
    EXPECT_EQ(log_.lines_with(computed_again), 1);
    put(whole);
    take_to(one, wave::wire::ANNOUNCED);
    EXPECT_EQ(log_.lines_with(computed_again), 2) << "others, be they equal";
  }
  machine one{around_};
  one.settle();
  number_ = one.open_wave(10);
  for (std::uint64_t i = 21; i <= 40; ++i) join_all(one, {one.ready(i)}, number_);
  take_to(one, wave::wire::ANNOUNCED);
  EXPECT_EQ(log_.lines_with(computed_again), 2) << "as they were drawn";
}

TEST_F(DrawnWave, AnAnnouncementUnderWayWaitsForTheOutcomesThatWereDrawn) {
  ASSERT_NO_FATAL_FAILURE(stop_while_announcing());
  const auto whole = files();
  accept_all();
  machine one{around_};
  one.desk_in_use = true;
  one.settle();
  for (int seconds = 0; seconds < 60; ++seconds) one.advance(1s);
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCING);
  EXPECT_EQ(one.running->count({runtime::counter::family::accepted, number_.value}), 0);
  put(whole);
  for (int seconds = 0; seconds < 10; ++seconds) one.advance(1s);
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCED);
  EXPECT_EQ(one.running->count({runtime::counter::family::accepted, number_.value}), 10);
}

TEST_F(DrawnWave, AnOutcomeFileThatDoesNotReadIsNoOtherDraw) {
  take_to(wave::wire::CLOSED);
  for (const auto phase : {wave::wire::CLOSED, wave::wire::COMMITTED}) {
    take_to(phase);
    fs::create_directories(folder());
    std::ofstream{folder() / "drawn.json"} << "{";
    machine one{around_};
    one.settle();
    one.desk_in_use = true;
    const auto told = phase == wave::wire::CLOSED ? one.order(number_, one.commitment())
                                                  : one.order(number_, one.draw());
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, errc::draw_damaged);
    EXPECT_THAT(told.error().detail, HasSubstr("wave-1/drawn.json: "));
    fs::remove(folder() / "drawn.json");
    fs::create_directory(folder() / "drawn.json");
    const auto unread = phase == wave::wire::CLOSED ? one.order(number_, one.commitment())
                                                    : one.order(number_, one.draw());
    ASSERT_FALSE(unread);
    EXPECT_EQ(unread.error().code, errc::storage_unavailable);
    EXPECT_THAT(unread.error().detail, HasSubstr("wave-1/drawn.json: "));
    EXPECT_EQ(unread.error().detail.find(around_.where.path().string()), std::string::npos)
        << "nothing of the machine";
    fs::remove(folder() / "drawn.json");
  }
}

}  // namespace
}  // namespace gelombang::rooms_test
