#include "load-tests/engine/expectation.hpp"

#include <gtest/gtest.h>

namespace gelombang::load {
namespace {

/// What follows from the lines of one person in one wave.
expectation after(std::string_view log) {
  static logged_operations read;
  read = {};
  EXPECT_TRUE(read.add(log));
  read.sort();
  return expected_after(read.all);
}

TEST(Expectation, FollowsFromWhatWasAcknowledgedLast) {
  EXPECT_TRUE(after("1,join,7,3,acknowledged,201,aa\n").must_be_there);
  EXPECT_EQ(after("1,join,7,3,acknowledged,201,aa\n").proof, "aa");
  const auto gone = after("1,join,7,3,acknowledged,201,aa\n2,withdraw,7,3,acknowledged,204,\n");
  EXPECT_FALSE(gone.must_be_there);
  EXPECT_FALSE(gone.may_be_there);
  const auto back = after(
      "1,join,7,3,acknowledged,201,aa\n2,withdraw,7,3,acknowledged,204,\n"
      "3,join,7,3,acknowledged,201,aa\n");
  EXPECT_TRUE(back.must_be_there);
  EXPECT_FALSE(after("1,join,7,3,refused,409,\n").may_be_there);
}

TEST(Expectation, InOneMillisecondTheOrderOfTheLogCounts) {
  EXPECT_FALSE(
      after("5,join,7,3,acknowledged,201,aa\n5,withdraw,7,3,acknowledged,204,\n").may_be_there);
  EXPECT_TRUE(
      after("5,withdraw,7,3,acknowledged,204,\n5,join,7,3,acknowledged,201,aa\n").must_be_there);
}

TEST(Expectation, WhatWasNeverAnsweredMayHaveBeenDone) {
  const auto joined = after("1,join,7,3,unknown,0,\n");
  EXPECT_FALSE(joined.must_be_there);
  EXPECT_TRUE(joined.may_be_there);
  const auto withdrawn = after("1,join,7,3,acknowledged,201,aa\n2,withdraw,7,3,unknown,0,\n");
  EXPECT_FALSE(withdrawn.must_be_there);
  EXPECT_TRUE(withdrawn.may_be_there);
  // It may arrive later than what was acknowledged after it.
  EXPECT_TRUE(after("1,join,7,3,unknown,0,\n2,withdraw,7,3,acknowledged,204,\n").may_be_there);
}

TEST(Expectation, TwoDifferentProofsAreTold) {
  EXPECT_TRUE(
      after("1,join,7,3,acknowledged,201,aa\n2,join,7,3,acknowledged,200,bb\n").proofs_differ);
  EXPECT_FALSE(
      after("1,join,7,3,acknowledged,201,aa\n2,join,7,3,acknowledged,200,aa\n").proofs_differ);
}

TEST(LoggedOperations, AreSortedByWaveThenPerson) {
  logged_operations read;
  ASSERT_TRUE(read.add(
      "1,join,9,3,acknowledged,201,aa\n2,join,4,3,refused,409,\n3,sign_up,9,,acknowledged,202,\n"));
  read.sort();
  ASSERT_EQ(read.all.size(), 3u);
  EXPECT_EQ(read.waves[read.all[0].wave], "");
  EXPECT_EQ(read.all[1].person, 4u);
  EXPECT_EQ(read.all[2].person, 9u);
}

TEST(LoggedOperations, ALineThatIsNoneIsNamedAndAnUnfinishedLastOneIsNot) {
  logged_operations read;
  const auto wrong = read.add("1,join,9,3,acknowledged,201,aa\nx,join,9,3,acknowledged,201,aa\n");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error(), "line 2: at_ms is no number");
  EXPECT_FALSE(read.add("1,join,-9,3,acknowledged,201,aa\n"));
  EXPECT_FALSE(read.add("1,join,9,3,perhaps,201,aa\n"));
  EXPECT_FALSE(read.add("1,,9,3,unknown,0,\n"));
  EXPECT_FALSE(read.add("1,join,9,3,acknowledged,201," + std::string(33, 'a') + "\n"));
  read = {};
  EXPECT_TRUE(read.add("1,join,9,3,acknowledged,201,aa\n2,join,10,3,ackn"));
  EXPECT_EQ(read.all.size(), 1u);
}

TEST(OperationsLog, ALineIsReadAsItWasWritten) {
  std::string line;
  append_line(line, {.at_ms = 5,
                     .kind = "join",
                     .person = 17,
                     .wave = "3",
                     .became = fate::unknown,
                     .status = 0,
                     .proof = {}});
  EXPECT_EQ(line, "5,join,17,3,unknown,0,\n");
  const auto read = read_line(std::string_view{line}.substr(0, line.size() - 1));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->person, 17u);
  EXPECT_EQ(read->became, fate::unknown);
}

}  // namespace
}  // namespace gelombang::load
