#include "tests/actors/wave/drawn_wave.hpp"

/// Who may be told the entries of a wave and what became of them.
namespace gelombang::rooms_test {
namespace {

class CheckedOutcomes : public DrawnWave {
protected:
  /// Of the sixth entry in roster.bin: behind the header and five entries, behind its id.
  static constexpr std::size_t in_a_family = 64 + 5 * 32 + 16;

  errc told_by(machine& in) const { return code_of(in.desk->entries_of(number_)); }
};

TEST_F(CheckedOutcomes, AreToldAtOnceByWhomHasDrawnThem) {
  machine one{around_};
  one.settle();
  take_to(one, wave::wire::COMMITTED);
  EXPECT_EQ(told_by(one), errc::ok) << "there are none yet";
  take_to(one, wave::wire::DRAWN);
  EXPECT_EQ(told_by(one), errc::ok);
  EXPECT_EQ(log_.lines_with(computed_again), 0);
}

TEST_F(CheckedOutcomes, WaitAfterARestartUntilTheyAreComputedAgain) {
  take_to(wave::wire::DRAWN);
  machine one{around_};
  one.settle();
  EXPECT_EQ(told_by(one), errc::draw_unchecked);
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::ok);
  EXPECT_EQ(log_.lines_with(computed_again), 1);
  take_to(one, wave::wire::ANNOUNCED);
  EXPECT_EQ(log_.lines_with(computed_again), 1) << "once is enough";
}

TEST_F(CheckedOutcomes, AreOpenedByWhomHasDrawnThem) {
  machine one{around_};
  one.settle();
  take_to(one, wave::wire::COMMITTED);
  const auto committed = one.desk->entries_of(number_);
  ASSERT_TRUE(committed);
  EXPECT_FALSE((*committed)->is_drawn());
  take_to(one, wave::wire::DRAWN);
  const auto drawn = one.desk->entries_of(number_);
  ASSERT_TRUE(drawn);
  EXPECT_TRUE((*drawn)->is_drawn());
  EXPECT_EQ(one.desk->files_of(number_, draw::stage::drawn).value(), *drawn);
}

TEST_F(CheckedOutcomes, OfTheNewestAnnouncedWaveAreComputedAgainByAStart) {
  take_to(wave::wire::ANNOUNCED);
  machine one{around_};
  look_after(one);
  EXPECT_EQ(told_by(one), errc::ok);
  EXPECT_EQ(log_.lines_with(computed_again), 1);
}

/// What was judged is what is mapped, and not what bears its name meanwhile.
TEST_F(CheckedOutcomes, AreThoseOfTheFilesThatWereJudged) {
  take_to(wave::wire::ANNOUNCED);
  const auto whole = files();
  accept_all();
  machine one{around_};
  one.settle();
  const auto damaged = one.desk->files_of(number_, draw::stage::drawn);
  ASSERT_TRUE(damaged) << "nobody has looked";
  put(whole);
  EXPECT_EQ(told_by(one), errc::draw_unchecked);
  one.wait_for_desk();
  const auto told = one.desk->entries_of(number_);
  ASSERT_TRUE(told);
  EXPECT_NE(*told, *damaged);
  EXPECT_EQ(one.desk->files_of(number_, draw::stage::drawn).value(), *told);
}

TEST_F(CheckedOutcomes, OfAnAnnouncedWaveWaitAfterARestartAsWell) {
  take_to(wave::wire::ANNOUNCED);
  machine one{around_};
  one.settle();
  EXPECT_EQ(told_by(one), errc::draw_unchecked);
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::ok);
  EXPECT_EQ(log_.lines_with(computed_again), 1);
}

TEST_F(CheckedOutcomes, WithAnEntryThatWasNotCommittedToAreNeverTold) {
  for (const auto phase : {wave::wire::COMMITTED, wave::wire::DRAWN, wave::wire::ANNOUNCED}) {
    take_to(phase);
    const auto whole = files();
    flip("roster.bin", in_a_family, 1);
    machine one{around_};
    one.settle();
    EXPECT_EQ(told_by(one), errc::draw_unchecked) << phase;
    one.wait_for_desk();
    EXPECT_EQ(told_by(one), errc::draw_damaged) << phase;
    EXPECT_THAT(one.desk->known_faults(), ::testing::ElementsAre(::testing::HasSubstr("roster")));
    put(whole);
    one.advance(2s);
    EXPECT_EQ(told_by(one), errc::draw_unchecked) << phase;
    one.wait_for_desk();
    EXPECT_EQ(told_by(one), errc::ok) << phase;
  }
}

TEST_F(CheckedOutcomes, AreComputedAgainByAStartThatLooksAfterItsFiles) {
  take_to(wave::wire::COMMITTED);
  {
    machine one{around_};
    look_after(one);
    EXPECT_EQ(told_by(one), errc::ok) << "the roster is what was committed to";
  }
  take_to(wave::wire::DRAWN);
  {
    machine one{around_};
    look_after(one);
    EXPECT_EQ(told_by(one), errc::ok);
  }
  accept_all();
  machine one{around_};
  look_after(one);
  EXPECT_EQ(told_by(one), errc::draw_damaged);
}

TEST_F(CheckedOutcomes, ThatWereAlteredAreNeverTold) {
  take_to(wave::wire::DRAWN);
  const auto whole = files();
  accept_all();
  machine one{around_};
  one.settle();
  EXPECT_EQ(told_by(one), errc::draw_unchecked);
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::draw_damaged);
  EXPECT_THAT(one.desk->known_faults(), ::testing::ElementsAre(::testing::HasSubstr("outcome")));
  one.advance(2s);
  EXPECT_EQ(told_by(one), errc::draw_unchecked) << "it may have been mended";
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::draw_damaged);
  EXPECT_EQ(log_.lines_with(computed_again), 1) << "the same files say the same";
  put(whole);
  one.advance(2s);
  EXPECT_EQ(told_by(one), errc::draw_unchecked);
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::ok);
  EXPECT_THAT(one.desk->known_faults(), ::testing::IsEmpty());
}

TEST_F(CheckedOutcomes, InTheMidstOfAnAnnouncementAreToldByTheSameRule) {
  ASSERT_NO_FATAL_FAILURE(stop_while_announcing());
  accept_all();
  machine one{around_};
  one.desk_in_use = true;
  one.settle();
  EXPECT_EQ(phase_of(one, number_), wave::wire::ANNOUNCING);
  EXPECT_EQ(told_by(one), errc::draw_damaged);
}

TEST_F(CheckedOutcomes, OfAnAnnouncedWaveAreComputedAgainWhenTheJournalSaysOtherwise) {
  take_to(wave::wire::ANNOUNCED);
  const auto whole = files();
  accept_all();
  machine one{around_};
  one.settle();
  const auto open = one.desk->files_of(number_, draw::stage::drawn);
  ASSERT_TRUE(open) << "nobody has looked";
  const auto why = one.desk->contradicted(number_, **open, "verdicts.bin: an outcome is another");
  EXPECT_EQ(why.value().code, errc::draw_damaged);
  EXPECT_EQ(why.value().detail, "wave-1/verdicts.bin: an outcome is another");
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::draw_damaged);
  EXPECT_THAT(one.desk->known_faults(), ::testing::ElementsAre(::testing::HasSubstr("outcome")));
  put(whole);
  one.advance(2s);
  EXPECT_EQ(told_by(one), errc::draw_unchecked);
  one.wait_for_desk();
  EXPECT_EQ(told_by(one), errc::ok);
  EXPECT_THAT(one.desk->known_faults(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace gelombang::rooms_test
