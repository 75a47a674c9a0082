#include "net/command/listen.hpp"

#include <gtest/gtest.h>

namespace gelombang::command {
namespace {

TEST(Listen, ReadsAddressesOfBothKinds) {
  const auto four = parse_listen("0.0.0.0:8080");
  ASSERT_TRUE(four) << four.error();
  EXPECT_EQ(four->address, "0.0.0.0");
  EXPECT_EQ(four->port, 8080);
  EXPECT_EQ(four->host(), "0.0.0.0");
  const auto six = parse_listen("[::1]:0");
  ASSERT_TRUE(six) << six.error();
  EXPECT_EQ(six->address, "::1");
  EXPECT_EQ(six->port, 0);
  EXPECT_EQ(six->host(), "[::1]");
}

TEST(Listen, RefusesWhatIsNoAddressAndPort) {
  for (const char* text :
       {"", ":", "8080", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
        "127.0.0.1:+1", "127.0.0.1:80x", "localhost:80", "[127.0.0.1]:80", "::1:80", "[::1]",
        "[]:80", "[::1:80", "256.0.0.1:80", " 127.0.0.1:80"}) {
    const auto read = parse_listen(text);
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().find("IP address"), std::string::npos);
  }
}

}  // namespace
}  // namespace gelombang::command
