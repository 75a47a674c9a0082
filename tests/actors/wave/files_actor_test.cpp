#include <gmock/gmock.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/actors/wave/announcing.hpp"

/// The files of a draw beside what the journal says of it: lost, altered, ahead.
namespace gelombang::rooms_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using wave::wire::Phase;

/// What is logged while it lives.
class log_capture {
public:
  log_capture() : before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("captured", sink_));
  }
  log_capture(const log_capture&) = delete;
  log_capture& operator=(const log_capture&) = delete;
  ~log_capture() { spdlog::set_default_logger(before_); }

  int lines_with(std::string_view words) const { return sink_->lines_with(words); }

private:
  class lines final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    int lines_with(std::string_view words) {
      std::lock_guard lock{mutex_};
      return static_cast<int>(std::count_if(kept_.begin(), kept_.end(), [&](const auto& line) {
        return line.find(words) != std::string::npos;
      }));
    }

  protected:
    void sink_it_(const spdlog::details::log_msg& what) override {
      kept_.emplace_back(what.payload.data(), what.payload.size());
    }
    void flush_() override {}

  private:
    std::vector<std::string> kept_;
  };

  std::shared_ptr<lines> sink_ = std::make_shared<lines>();
  std::shared_ptr<spdlog::logger> before_;
};

using contents = std::map<std::string, std::string>;

class DrawnWave : public ::testing::Test {
protected:
  void SetUp() override {
    machine one{around_};
    const auto people = ready_people(one, 20);
    number_ = one.open_wave(10);
    join_all(one, people, number_);
  }

  /// Gives the orders that lead to `phase`.
  void take_to(machine& in, Phase phase) const {
    in.desk_in_use = true;
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::OPEN)
      applicant::testing::must(in.order(number_, wave::close{in.time.now()}));
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::CLOSED)
      applicant::testing::must(in.order(number_, in.commitment()));
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::COMMITTED)
      applicant::testing::must(in.order(number_, in.draw()));
    if (phase_of(in, number_) < phase && phase_of(in, number_) == wave::wire::DRAWN)
      applicant::testing::must(in.order(number_, wave::announce{in.time.now()}));
    ASSERT_EQ(phase_of(in, number_), phase);
  }
  void take_to(Phase phase) {
    machine one{around_};
    one.settle();
    take_to(one, phase);
  }

  static wave::hold_draw other_draw(const machine& in) {
    auto other = in.draw();
    other.beacon_value = "other randomness";
    return other;
  }

  /// A start, with all that it does about files.
  static void look_after(machine& in) {
    in.settle();
    in.desk->look_after_all();
    in.desk_in_use = true;
    in.wait_for_desk();
  }

  /// Draws, and ends the process when the announcement has begun.
  void stop_while_announcing() {
    take_to(wave::wire::DRAWN);
    machine one{around_};
    one.settle();
    one.desk_in_use = true;
    (void)one.send<wave::facts>(runtime::ref_of(number_), wave::announce{one.time.now()});
    for (int steps = 0; phase_of(one, number_) != wave::wire::ANNOUNCING; ++steps) {
      ASSERT_LT(steps, 1000);
      if (!one.step()) one.running->pump();
    }
  }

  fs::path folder() const {
    return around_.where.path() / "draws" / ("wave-" + std::to_string(number_.value));
  }
  contents files() const {
    contents all;
    for (const auto& one : fs::directory_iterator{folder()}) {
      std::ifstream in{one.path(), std::ios::binary};
      all[one.path().filename().string()] = {std::istreambuf_iterator<char>{in}, {}};
    }
    return all;
  }
  /// Made beside those that are there, so that they are others even to the file system.
  void put(const contents& all) const {
    const auto beside = around_.where.path() / "beside";
    fs::create_directories(beside);
    for (const auto& [name, bytes] : all) std::ofstream{beside / name, std::ios::binary} << bytes;
    fs::remove_all(folder());
    fs::rename(beside, folder());
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) const {
    auto all = files();
    const auto at = all[name].find(from);
    ASSERT_NE(at, std::string::npos) << name;
    all[name].replace(at, from.size(), to);
    put(all);
  }

  void flip(const std::string& name, std::size_t at, char bits) const {
    auto all = files();
    ASSERT_LT(at, all[name].size());
    all[name][at] = static_cast<char>(all[name][at] ^ bits);
    put(all);
  }
  /// Lets everybody in who stands in the reserve.
  void accept_all() const {
    auto all = files();
    auto& verdicts = all["verdicts.bin"];
    ASSERT_EQ(verdicts.size(), verdicts_at + 20 * sizeof(draw::verdict));
    int let_in = 0;
    for (auto at = verdicts_at; at < verdicts.size(); at += sizeof(draw::verdict)) {
      draw::verdict own;
      std::memcpy(&own, verdicts.data() + at, sizeof own);
      if (own.outcome() != draw::outcome::reserve) continue;
      own = draw::verdict{draw::outcome::accepted, 0};
      std::memcpy(verdicts.data() + at, &own, sizeof own);
      ++let_in;
    }
    ASSERT_GT(let_in, 0);
    put(all);
  }

  void expect_not_announced(machine& in, const std::string& why) const {
    in.desk_in_use = true;
    const auto told = in.order(number_, wave::announce{in.time.now()});
    ASSERT_FALSE(told);
    EXPECT_EQ(told.error().code, errc::draw_damaged);
    EXPECT_THAT(told.error().detail, HasSubstr(why));
    EXPECT_EQ(phase_of(in, number_), wave::wire::DRAWN);
    EXPECT_EQ(in.running->count({runtime::counter::family::accepted, number_.value}), 0);
  }

  refusal refusal_of_files(machine& in) const {
    const auto files = in.desk->files_of(number_, draw::stage::drawn);
    return files ? refusal{.code = errc::ok} : files.error();
  }

  static constexpr std::size_t verdicts_at = 64;  ///< behind the file's header
  static constexpr std::string_view computed_again = "its draw is computed again";

  world around_;
  wave_number number_;
  const log_capture log_;
};

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
  fs::remove(folder() / "tree.bin");
  machine one{around_};
  one.settle();
  const auto next = one.open_wave(10);
  for (std::uint64_t i = 1; i <= 20; ++i) join_all(one, {one.account(i)}, next);
  announce(one, next);
  look_after(one);
  EXPECT_FALSE(fs::exists(folder() / "tree.bin")) << "members are no entries any more";
  EXPECT_EQ(log_.lines_with("It is cancelled, nobody needs it"), 1);
  EXPECT_EQ(log_.lines_with("restore from a backup"), 0);
}

TEST_F(DrawnWave, OfAWaveThatIsOverAStartReadsNoOutcomes) {
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
  machine one{around_};
  look_after(one);
  EXPECT_EQ(log_.lines_with("has an outcome unknown"), 2);
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

TEST_F(DrawnWave, AfterTheAnnouncementTheOutcomesAreMadeAgainAndTheRosterIsAskedBack) {
  take_to(wave::wire::ANNOUNCED);
  const auto whole = files();
  for (const auto* name : {"drawn.json", "verdicts.bin"}) fs::remove(folder() / name);
  {
    machine one{around_};
    look_after(one);
    EXPECT_EQ(files(), whole);
  }
  fs::remove(folder() / "roster.bin");
  machine one{around_};
  look_after(one);
  EXPECT_FALSE(fs::exists(folder() / "roster.bin")) << "members are no entries any more";
  EXPECT_EQ(log_.lines_with("restore from a backup"), 1);
  const auto why = refusal_of_files(one);
  EXPECT_EQ(why.code, errc::draw_damaged);
  EXPECT_EQ(why.detail, "wave-1/roster.bin: is not there");
  put(whole);
  one.advance(1s);
  EXPECT_EQ(refusal_of_files(one).code, errc::ok);
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
