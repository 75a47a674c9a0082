#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/wave/draw/verify.hpp"
#include "actors/wave/rules.hpp"
#include "tests/actors/wave/draw_reference.hpp"
#include "tests/actors/wave/small_draw.hpp"

namespace gelombang::wave {
namespace {

using namespace std::chrono_literals;
using namespace gelombang::draw::testing;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr instant noon{1'800'000'000'000ms};
constexpr auto why = "Bencana banjir di lima provinsi";

state in_phase(wire::Phase phase) {
  state wave;
  wave.set_number(7);
  wave.set_phase(phase);
  return wave;
}

// ---- the rule

TEST(Cancelling, KeepsWhenAndWhyAndTheEventByWhom) {
  for (const auto phase :
       {wire::SCHEDULED, wire::OPEN, wire::CLOSING, wire::CLOSED, wire::COMMITTED}) {
    auto wave = in_phase(phase);
    const auto what =
        decide(wave, cancel{.now = noon, .reason = std::string{why}, .by = applicant_id{42}});
    ASSERT_TRUE(what);
    EXPECT_EQ(what->cancelled().by(), 42u);
    apply(wave, *what, 4);
    EXPECT_EQ(wave.phase(), wire::CANCELLED);
    EXPECT_EQ(wave.cancellation().at(), noon.time_since_epoch().count());
    EXPECT_EQ(wave.cancellation().reason(), why);
  }
}

TEST(Cancelling, NeedsNoReasonAndThenHasNone) {
  auto wave = in_phase(wire::COMMITTED);
  apply(wave, decide(wave, cancel{noon}).value(), 4);
  EXPECT_EQ(wave.cancellation().reason(), "");
}

TEST(Cancelling, AReasonIsOneLineThatEverybodyCanRead) {
  const auto wave = in_phase(wire::COMMITTED);
  for (const auto& wrong : {std::string{"two\nlines"}, std::string{"\x1b[2J"}, std::string{" "},
                            std::string(201, 'x'), std::string{"\xff"}}) {
    const auto what = decide(wave, cancel{.now = noon, .reason = wrong});
    ASSERT_FALSE(what) << wrong;
    EXPECT_EQ(what.error().code, errc::reason_invalid);
    EXPECT_EQ(what.error().field, "/reason");
  }
}

TEST(Cancelling, AnEventOfBeforeReasonsWereKeptIsApplied) {
  auto wave = in_phase(wire::COMMITTED);
  event before;
  before.set_at(5);
  before.mutable_cancelled();
  apply(wave, before, 4);
  EXPECT_EQ(wave.cancellation().at(), 5);
  EXPECT_EQ(wave.cancellation().reason(), "");
}

// ---- the summary, and what is said of it

class CancelledDraw : public ::testing::Test {
protected:
  void SetUp() override {
    given_ = parameters_for_three({7}, 2, "secret");
    const auto made = draw::commit(place_ / "draw", roster_of_three(), given_, 1);
    ASSERT_TRUE(made) << made.error().detail;
    told_ = *made;
    told_.cancelled = draw::cancellation{noon, why};
    const auto files = draw::draw_files::open(place_ / "draw").value();
    ASSERT_TRUE(files.export_entries(place_ / "entries.csv", 1));
  }

  tl::expected<draw::verification, draw::verify_failure> verified(const std::string& summary) {
    write_file(place_ / "summary.json", summary);
    return draw::verify(place_ / "summary.json", place_ / "entries.csv", std::nullopt, 1);
  }

  temporary_directory place_;
  draw::parameters given_;
  draw::summary told_;
};

TEST_F(CancelledDraw, SaysSoBehindAllThatTheContractHas) {
  auto before = told_;
  before.cancelled.reset();
  auto start = draw::to_json(before);
  EXPECT_THAT(start, Not(HasSubstr("state")));
  start.pop_back();
  EXPECT_EQ(draw::to_json(told_),
            start + R"(,"state":"cancelled","cancelled_at":"2027-01-15T15:00:00+07:00",)"
                    R"("cancel_reason":"Bencana banjir di lima provinsi"})");
  told_.cancelled = draw::cancellation{};
  EXPECT_EQ(draw::to_json(told_),
            start + R"(,"state":"cancelled","cancelled_at":null,"cancel_reason":null})");
}

TEST_F(CancelledDraw, IsReadAsItWasWritten) {
  EXPECT_EQ(draw::read_summary(draw::to_json(told_)).value(), told_);
  told_.cancelled = draw::cancellation{};
  EXPECT_EQ(draw::read_summary(draw::to_json(told_)).value(), told_);
}

TEST_F(CancelledDraw, WhatIsWrongWithItIsNamed) {
  const auto with = [&](std::string_view from, std::string_view to) {
    auto json = draw::to_json(told_);
    const auto at = json.find(from);
    if (at == std::string::npos) return std::string{"not in the summary"};
    const auto read = draw::read_summary(json.replace(at, from.size(), to));
    return read ? std::string{"reads"} : read.error();
  };
  EXPECT_EQ(with("\"2027-01-15T15:00:00+07:00\"", "\"yesterday\""), "cancelled_at is not a time");
  EXPECT_EQ(with("\"2027-01-15T15:00:00+07:00\"", "7"), "cancelled_at is not a string");
  EXPECT_EQ(with("\"cancelled\",", "true,"), "state is not a string");
  EXPECT_EQ(with("\"cancelled\",", "\"announced\","), "reads") << "no concern of ours";
  EXPECT_EQ(with(R"("Bencana banjir di lima provinsi")", "7"), "cancel_reason is not a string");
}

TEST_F(CancelledDraw, AgreesAndTheReportSaysThatItIsCancelled) {
  const auto confirmed = verified(draw::to_json(told_));
  ASSERT_TRUE(confirmed) << confirmed.error().detail;
  const auto text = draw::describe(*confirmed);
  EXPECT_THAT(text, HasSubstr("says that it was CANCELLED on 2027-01-15T15:00:00+07:00;"));
  EXPECT_THAT(text, Not(HasSubstr("never drawn"))) << "which nobody can check";
  EXPECT_THAT(text, HasSubstr(std::string{"reason: "} + why));
  EXPECT_THAT(text, Not(HasSubstr("not drawn yet")));
}

TEST_F(CancelledDraw, AReasonThatAnybodyHasWrittenIsFitForATerminal) {
  told_.cancelled->reason = "\x1b[2Jnothing\nhere\xc2\x9b";
  const auto confirmed = verified(draw::to_json(told_));
  ASSERT_TRUE(confirmed) << confirmed.error().detail;
  EXPECT_THAT(draw::describe(*confirmed), HasSubstr("reason: ?[2Jnothing?here?\n"));
}

TEST_F(CancelledDraw, WhatIsDrawnIsNotCancelled) {
  ASSERT_TRUE(draw::run(place_ / "draw", "randomness", "secret", 1));
  auto drawn = draw::draw_files::open(place_ / "draw").value().published();
  drawn.cancelled = draw::cancellation{noon, why};
  const auto refused = verified(draw::to_json(drawn));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, EndsWith("state is cancelled, and what is drawn can't be"));
}

}  // namespace
}  // namespace gelombang::wave
