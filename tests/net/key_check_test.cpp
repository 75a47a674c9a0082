#include "net/command/key_check.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

namespace gelombang::command {
namespace {

keyring key_of(std::uint8_t fill) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(fill);
  return keyring::from_bytes(bytes);
}

class KeyCheck : public testing::Test {
protected:
  KeyCheck() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "gelombang-key-XXXXXX").string();
    where_ = mkdtemp(pattern.data());
  }
  ~KeyCheck() override { std::filesystem::remove_all(where_); }

  std::filesystem::path where_;
};

TEST_F(KeyCheck, TheKeyOfTheBeginningIsTheOnlyOne) {
  const auto data = where_ / "not" / "there" / "yet";
  EXPECT_TRUE(check_key(data, key_of(1)));
  EXPECT_TRUE(check_key(data, key_of(1)));
  const auto other = check_key(data, key_of(2));
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().find("keys.file"), std::string::npos);
  EXPECT_TRUE(check_key(data, key_of(1)));
}

TEST_F(KeyCheck, SaysWhereItCannotWrite) {
  const auto unwritable = check_key("/proc/no-such-place", key_of(1));
  ASSERT_FALSE(unwritable);
  EXPECT_NE(unwritable.error().find("/proc/no-such-place"), std::string::npos);
}

}  // namespace
}  // namespace gelombang::command
