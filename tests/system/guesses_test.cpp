#include <fmt/format.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

constexpr auto email = "siti@example.com";
constexpr auto password = "a long passphrase";
constexpr std::uint16_t home_address = 1, strangers_address = 2;
/// One more is let by where a window of the limits ends in the midst of the test.
constexpr int at_an_edge = 1;

/// A node, and an account with a password. Clients come from addresses that they choose.
class Guesses : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_TRUE(node_.start()) << node_.log();
    owner_ = client_from(home_address);
    const auto code = new_code();
    ASSERT_TRUE(code);
    const auto in = owner_->call(verify_email(email, *code, password));
    ASSERT_EQ(in.status, 200) << in.told();
    token_ = in.text("access_token");
    refresh_token_ = in.text("refresh_token");
  }

  std::unique_ptr<programme_client> client_from(std::uint16_t address) const {
    return std::make_unique<programme_client>(node_.port(), address);
  }

  std::optional<std::string> new_code() {
    EXPECT_EQ(owner_->call(enter_email(email)).status, 202);
    return letters_.wait_for_code(email, patience);
  }

  /// @returns how many guesses at an address's password were looked at before one was refused.
  static int guesses_of(programme_client& who, const std::string& at, int most) {
    for (int i = 0; i < most; ++i) {
      const auto told = who.call(sign_in(at, fmt::format("guess number {}", i)));
      if (told.status == 429) return i;
      EXPECT_EQ(told.problem(), "credentials_wrong") << told.told();
    }
    return most;
  }

  scratch place_;
  /// A hundred guesses are made: each costs next to nothing.
  node node_{home{place_.path()},
             {"log.level=\"warn\"", "passwords.passes=1", "passwords.memory_kib=8"}};
  mailbox letters_{node_.where().mail};
  std::unique_ptr<programme_client> owner_;
  std::string token_, refresh_token_;
};

TEST_F(Guesses, OfAStrangerDoNotLockTheOwnerOut) {
  auto stranger = client_from(strangers_address);
  EXPECT_NEAR(guesses_of(*stranger, email, 20), 10, at_an_edge);
  EXPECT_EQ(stranger->call(sign_in(email, password)).status, 429) << "not even the right one";
  EXPECT_EQ(owner_->call(sign_in(email, password)).status, 200);
  EXPECT_EQ(owner_->get("/v1/me", token_).status, 200);
  const auto refreshed =
      stranger->post("/v1/sessions/refresh", {}, R"({"refresh_token":")" + refresh_token_ + "\"}");
  EXPECT_EQ(refreshed.status, 200) << "wherever a session is, passwords don't concern it";
}

TEST_F(Guesses, OfAnAddressThatHasNoAccountAreAnsweredTheSame) {
  auto stranger = client_from(strangers_address);
  EXPECT_NEAR(guesses_of(*stranger, "nobody@example.com", 20), 10, at_an_edge);
}

TEST_F(Guesses, ThatAreRightDoNotCount) {
  for (int i = 0; i < 12; ++i) ASSERT_EQ(owner_->call(sign_in(email, password)).status, 200) << i;
}

TEST_F(Guesses, OfManyStrangersTogetherAreBounded) {
  int looked_at = 0;
  for (std::uint16_t address = strangers_address; address < strangers_address + 12; ++address)
    looked_at += guesses_of(*client_from(address), email, 20);
  EXPECT_NEAR(looked_at, 100, 12 * at_an_edge);
  EXPECT_EQ(owner_->get("/v1/me", token_).status, 200);
}

}  // namespace
}  // namespace gelombang::system_testing
