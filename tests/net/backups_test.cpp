#include "net/programme/backups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <optional>
#include <vector>

namespace gelombang::net {
namespace {

using storage::fault;
using storage::result;
using testing::ElementsAre;

/// Copies that take until the test says so.
class Backups : public testing::Test {
protected:
  result<backups::copied> copy(const std::filesystem::path& target, const std::stop_token& until) {
    const std::stop_callback heeded{until, [this] { is_interrupted_ = true; }};
    copied_.push_back(target);
    begun_.set_value();
    auto outcome = outcome_.get_future().get();
    ended_ = true;
    return outcome;
  }

  bool start(const std::string& target) {
    return backups_.start(target, io_,
                          [this](result<backups::copied> made) { told_ = std::move(made); });
  }

  /// Lets the copy end that has begun, and what is told about it arrive.
  void finish(result<backups::copied> how) {
    begun_.get_future().get();
    outcome_.set_value(std::move(how));
    while (!told_) io_.run_one();
    begun_ = {};
    outcome_ = {};
  }

  std::promise<void> begun_;
  std::promise<result<backups::copied>> outcome_;
  std::atomic<bool> ended_{false}, is_interrupted_{false};
  std::vector<std::filesystem::path> copied_;
  std::optional<result<backups::copied>> told_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      io_.get_executor()};
  backups backups_{[this](const auto& target, const auto& until) { return copy(target, until); }};
};

TEST_F(Backups, TellOnTheAskersThreadWhatBecameOfThem) {
  ASSERT_TRUE(start("a"));
  finish({});
  EXPECT_TRUE(told_->has_value());
  told_.reset();
  ASSERT_TRUE(start("b"));
  finish(storage::failed(fault::in_use, "b: is not empty"));
  ASSERT_FALSE(told_->has_value());
  EXPECT_EQ(told_->error().kind, fault::in_use);
  EXPECT_THAT(copied_, ElementsAre("a", "b"));
}

TEST_F(Backups, AreMadeOneAtATime) {
  ASSERT_TRUE(start("a"));
  EXPECT_FALSE(start("b"));
  finish({});
  told_.reset();
  ASSERT_TRUE(start("c"));
  finish({});
  EXPECT_THAT(copied_, ElementsAre("a", "c"));
}

TEST_F(Backups, WhoeverAskedIsToldOfACopyThatIsInterrupted) {
  ASSERT_TRUE(start("a"));
  begun_.get_future().get();
  EXPECT_FALSE(is_interrupted_);
  backups_.interrupt();
  EXPECT_TRUE(is_interrupted_);
  EXPECT_FALSE(ended_) << "whether it was the last step, only the copy knows";
  EXPECT_FALSE(start("b"));
  outcome_.set_value(storage::failed(fault::io, "the node was told to stop"));
  while (!told_) io_.run_one();
  EXPECT_FALSE(told_->has_value());
  EXPECT_FALSE(start("c")) << "none is begun any more";
}

TEST_F(Backups, TheEndWaitsForTheCopyThatIsBeingMade) {
  ASSERT_TRUE(start("a"));
  begun_.get_future().get();
  auto had_ended = std::async(std::launch::async, [this] {
    backups_.stop();
    return ended_.load();
  });
  outcome_.set_value({});
  EXPECT_TRUE(had_ended.get());
  EXPECT_FALSE(start("b"));
  EXPECT_THAT(copied_, ElementsAre("a"));
}

}  // namespace
}  // namespace gelombang::net
