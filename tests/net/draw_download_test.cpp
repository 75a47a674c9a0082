#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <filesystem>
#include <future>
#include <string>
#include <thread>

#include "actors/wave/draw/row.hpp"
#include "net/programme/handlers.hpp"
#include "tests/actors/rooms.hpp"
#include "tests/actors/wave/small_draw.hpp"
#include "tests/net/front.hpp"

namespace gelombang::net {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr wave_number number{1};

/// More than the sockets of both sides hold, so that a download waits for its reader.
constexpr std::uint32_t entries = 150'000;

std::vector<draw::roster_entry> large_roster() {
  std::vector<draw::roster_entry> roster(entries);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::uint32_t place = i * (UINT32_MAX / entries);
    for (std::uint32_t byte = 0; byte < sizeof place; ++byte)
      roster[i].id[byte] = static_cast<std::uint8_t>(place >> (24 - 8 * byte));
    roster[i].family = i;
    roster[i].region = draw::testing::region_of_three;
    roster[i].family_room = 2;
  }
  return roster;
}

/// The data of a chunked body as far as it came.
std::string data_in(std::string_view chunks) {
  std::string data;
  while (true) {
    const auto line = chunks.find("\r\n");
    if (line == std::string_view::npos) return data;
    const auto size = std::stoul(std::string{chunks.substr(0, line)}, nullptr, 16);
    chunks.remove_prefix(line + 2);
    data += chunks.substr(0, size);
    if (chunks.size() < size + 2) return data;
    chunks.remove_prefix(size + 2);
  }
}

/// An announced wave with a large draw, and the route of its entries.
class DrawDownload : public ::testing::Test {
protected:
  void SetUp() override {
    const auto given = draw::testing::parameters_for_three(number, 2, "secret");
    const auto committed = draw::commit(folder(), large_roster(), given, 2);
    ASSERT_TRUE(committed) << committed.error().detail;
    const auto drawn = draw::run(folder(), "randomness", "secret", 2);
    ASSERT_TRUE(drawn) << drawn.error().detail;
    auto state = draw::testing::committed_state(given, *committed);
    state.set_phase(wave::wire::ANNOUNCED);
    auto& made = *state.mutable_result();
    made.set_beacon_value("randomness");
    made.set_operator_secret("secret");
    made.set_seed(drawn->drawn->seed.data(), drawn->drawn->seed.size());
    made.set_accepted(2);
    in_.board.put(std::make_shared<const wave::state>(state));
    front_.add(http::verb::get, "/entries/{n}",
               [this](exchange& x) { return read_draw_entries(services_, x); });
    front_.add(http::verb::get, "/hold", [this](exchange& x) -> task<> {
      all_have_asked_.get_future().wait_for(20s);
      x.no_content();
      co_return;
    });
    front_.start();
    ASSERT_EQ(get_checked().status, 200);
  }

  /// Asks until the check that the first look at files asks for is done; on one connection, as each
  /// would keep a port for a minute.
  test::reply get_checked() {
    auto connection = front_.connect();
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (true) {
      auto got = connection.ask("GET /entries/1 HTTP/1.1\r\nHost: a\r\n\r\n");
      const bool is_under_way = got.body.find("/problems/draw_unchecked") != std::string::npos;
      if (!is_under_way || std::chrono::steady_clock::now() > end) return got;
      std::this_thread::yield();
    }
  }

  fs::path folder() const { return around_.where.path() / "draws" / "wave-1"; }

  rooms_test::world around_;
  rooms_test::machine in_{around_};
  const access_tokens access_{{{"1", around_.keys.access_token_key()}}};
  const refresh_tokens refresh_{around_.keys.refresh_token_key()};
  password_pool passwords_{{.threads = 1}};
  waiting_room room_{{}, around_.keys.waiting_ticket_key(), in_.time.now()};
  services services_{.gateways = {},
                     .node = *in_.running,
                     .waves = in_.board,
                     .desk = *in_.desk,
                     .time = in_.time,
                     .keys = around_.keys,
                     .regions = around_.regions,
                     .questions = around_.questions,
                     .access = access_,
                     .refresh = refresh_,
                     .passwords = passwords_,
                     .room = room_,
                     .eligibility_of_scheme = {},
                     .operator_emails = {}};
  std::promise<void> all_have_asked_;
  test::front front_;
};

TEST_F(DrawDownload, IsWholeWhenItsFilesAreLeftAlone) {
  const auto got = front_.get("/entries/1");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(std::count(got.body.begin(), got.body.end(), '\n'), entries + 1);
}

TEST_F(DrawDownload, IsBrokenOffWhenAFileIsCutMeanwhile) {
  const auto whole = front_.get("/entries/1").body;
  for (const auto* name : {"roster.bin", "verdicts.bin"}) {
    auto reader = front_.connect();
    reader.send("GET /entries/1 HTTP/1.1\r\nHost: a\r\n\r\n");
    std::array<char, 4096> bytes;
    const auto got = reader.socket().read_some(boost::asio::buffer(bytes));
    const auto aside = folder() / "aside";
    fs::copy_file(folder() / name, aside);
    fs::resize_file(folder() / name, 64);
    const auto answer = std::string(bytes.data(), got) + reader.read_to_end();
    EXPECT_THAT(answer.substr(0, 64), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_FALSE(answer.ends_with("\r\n0\r\n\r\n")) << "taken for the whole";
    const auto body = data_in(std::string_view{answer}.substr(answer.find("\r\n\r\n") + 4));
    EXPECT_LT(body.size(), whole.size());
    EXPECT_TRUE(whole.starts_with(body)) << "something that the file has never held";

    const auto next = front_.get("/entries/1");
    EXPECT_EQ(next.status, 503);
    EXPECT_THAT(next.body, HasSubstr("/problems/draw_damaged"));
    EXPECT_THAT(next.body, HasSubstr(std::string{"wave-1/"} + name));
    fs::rename(aside, folder() / name);
    in_.time.advance(1s);
    EXPECT_EQ(get_checked().body, whole) << "as soon as it is mended";
  }
}

TEST_F(DrawDownload, GoesOnWhereItWasBrokenOff) {
  const auto whole = front_.get("/entries/1");
  EXPECT_EQ(whole.header("accept-ranges"), "bytes");
  const auto length = whole.body.size();
  // Within the header, at its end, in the midst of a line, across thousands of lines, at the end.
  for (const std::size_t at :
       {std::size_t{1}, draw::entries_header.size(), std::size_t{70'001}, length / 2, length - 1}) {
    const auto rest = front_.connect().ask(
        "GET /entries/1 HTTP/1.1\r\nHost: a\r\nRange: bytes=" + std::to_string(at) + "-\r\n\r\n");
    ASSERT_EQ(rest.status, 206) << at;
    EXPECT_EQ(rest.header("content-range"), fmt::format("bytes {}-{}/{}", at, length - 1, length));
    EXPECT_EQ(rest.header("etag"), whole.header("etag"));
    EXPECT_TRUE(rest.body == whole.body.substr(at)) << at;
  }
}

/// As after a restart of the node: all have asked before the first is answered.
TEST_F(DrawDownload, ManyWhoGoOnAtOnceLeadToOneCount) {
  constexpr std::size_t clients = 20, at = 1'000'000;
  const auto whole = front_.get("/entries/1").body;
  EXPECT_EQ(services_.entries.turns(), 0u) << "the whole needs none";
  auto holder = front_.connect();
  holder.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
  std::deque<test::client> readers;
  for (std::size_t i = 0; i < clients; ++i) {
    readers.emplace_back(front_.port());
    readers.back().send(fmt::format(
        "GET /entries/1 HTTP/1.1\r\nHost: a\r\nRange: bytes={}-{}\r\n\r\n", at + i, at + 999));
  }
  all_have_asked_.set_value();
  EXPECT_EQ(holder.read().status, 204);
  std::size_t served = 0;
  for (std::size_t i = 0; i < clients; ++i) {
    const auto got = readers[i].read();
    // Who has waited so long before he was read may be told to come back.
    if (got.body.find("/problems/overloaded") != std::string::npos) continue;
    ++served;
    ASSERT_EQ(got.status, 206) << i << got.body;
    EXPECT_TRUE(got.body == whole.substr(at + i, 1000 - i)) << i;
  }
  EXPECT_GT(served, 1u);
  EXPECT_EQ(services_.entries.turns(), 1u);
}

TEST_F(DrawDownload, APartIsBrokenOffWhenAFileIsCutMeanwhile) {
  const auto whole = front_.get("/entries/1").body;
  auto reader = front_.connect();
  reader.send("GET /entries/1 HTTP/1.1\r\nHost: a\r\nRange: bytes=1000-\r\n\r\n");
  std::array<char, 4096> bytes;
  const auto got = reader.socket().read_some(boost::asio::buffer(bytes));
  fs::resize_file(folder() / "roster.bin", 64);
  const auto answer = std::string(bytes.data(), got) + reader.read_to_end();
  EXPECT_THAT(answer.substr(0, 64), StartsWith("HTTP/1.1 206 Partial Content\r\n"));
  const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
  EXPECT_LT(body.size(), whole.size() - 1000) << "taken for the whole part";
  EXPECT_TRUE(whole.substr(1000).starts_with(body)) << "something that the file has never held";
}

}  // namespace
}  // namespace gelombang::net
