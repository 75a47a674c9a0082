#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "load-tests/replay/clerk.hpp"
#include "load-tests/replay/cpu.hpp"
#include "load-tests/replay/pipe.hpp"
#include "load-tests/replay/progress.hpp"
#include "load-tests/replay/verify.hpp"
#include "tests/storage/temporary_directory.hpp"

namespace gelombang::load::replay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using progress = scanned_answer::progress;

TEST(ScannedAnswer, IsCutOutOfWhatComesBehindIt) {
  const std::string first = "HTTP/1.1 201 Created\r\ncontent-LENGTH:  5\r\nServer: x\r\n\r\nhello";
  const auto one = scan_answer(first + "HTTP/1.1 204");
  EXPECT_EQ(one.found, progress::complete);
  EXPECT_EQ(one.status, 201);
  EXPECT_EQ(one.body, "hello");
  EXPECT_EQ(one.bytes, first.size());
  const auto nothing = scan_answer("HTTP/1.1 204 No Content\r\nDate: x\r\n\r\nHTTP/1.1 200 OK\r\n");
  EXPECT_EQ(nothing.found, progress::complete);
  EXPECT_EQ(nothing.body, "");
}

TEST(ScannedAnswer, IsNotThereBeforeItsLastByte) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes)
    EXPECT_EQ(scan_answer({whole.data(), bytes}).found, progress::more) << bytes;
}

TEST(ScannedAnswer, MustBeOne) {
  for (const char* wrong : {"HTTP/1.1 2x0 OK\r\nContent-Length: 3\r\n\r\n",
                            "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: three\r\n\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"})
    EXPECT_EQ(scan_answer(wrong).found, progress::malformed) << wrong;
}

class Clerk : public testing::Test {
protected:
  std::string text_of(const errand& what) const {
    std::string text;
    clerk_.write(text, what, 7);
    return text;
  }

  keyring keys_ = keyring::from_bytes({1, 2, 3});
  clerk clerk_{keys_, {.host = "a:1", .password = "long-enough", .assessment = "{\"answers\":{}}"}};
};

TEST_F(Clerk, WritesEachActAsTheContractHasIt) {
  EXPECT_THAT(text_of({.number = 3, .what = act::sign_up}),
              HasSubstr("POST /v1/accounts HTTP/1.1\r\nHost: a:1\r\n"));
  const auto verify = text_of({.number = 3, .what = act::verify});
  EXPECT_THAT(verify, HasSubstr("POST /v1/accounts/verify HTTP/1.1"));
  EXPECT_THAT(verify, HasSubstr(keys_.email_code(keys_.account_of("pemohon3@contoh.id"), 1)));
  EXPECT_THAT(verify, Not(HasSubstr("Authorization")));
  EXPECT_THAT(text_of({.number = 3, .what = act::identity}), HasSubstr("PUT /v1/me/identity"));
  EXPECT_THAT(text_of({.number = 3, .what = act::profile}), HasSubstr("\"returned_migrant\":"));
  EXPECT_THAT(text_of({.number = 3, .what = act::assessment}), HasSubstr("{\"answers\":{}}"));
  const auto join = text_of({.number = 3, .what = act::join});
  EXPECT_THAT(join, HasSubstr("POST /v1/waves/7/join HTTP/1.1"));
  EXPECT_THAT(join, HasSubstr("Authorization: Bearer " + clerk_.token_of(3)));
  EXPECT_THAT(join, HasSubstr("Content-Length: 0\r\n\r\n"));
}

TEST_F(Clerk, TellsWhatIsDoneFromWhatIsNot) {
  errand join{.number = 1, .what = act::join}, sign_up{.number = 1, .what = act::sign_up};
  EXPECT_EQ(clerk_.judge(join, 201, ""), verdict::done);
  EXPECT_EQ(clerk_.judge(join, 200, ""), verdict::done);
  EXPECT_EQ(clerk_.judge(join, 409, R"({"type":"/problems/already_member"})"), verdict::wrong);
  int early = 0;
  while (clerk_.judge(join, 409, R"({"type":"/problems/wave_not_open"})") == verdict::later)
    ++early;
  EXPECT_GT(early, 10);
  for (const int busy : {429, 503, 504}) EXPECT_EQ(clerk_.judge(join, busy, ""), verdict::later);
  EXPECT_EQ(clerk_.judge(sign_up, 202, ""), verdict::done);
  EXPECT_EQ(clerk_.judge(sign_up, 200, ""), verdict::wrong);
}

constexpr std::string_view code_wrong = R"({"type":"/problems/code_wrong"})";
constexpr std::string_view code_expired = R"({"type":"/problems/code_expired"})";

TEST_F(Clerk, TriesTheNextLettersCodeWhenALaterOneWasSent) {
  errand verify{.number = 1, .what = act::verify};
  const auto first = text_of(verify);
  EXPECT_EQ(clerk_.judge(verify, 422, code_wrong), verdict::next);
  EXPECT_NE(text_of(verify), first);
  EXPECT_EQ(clerk_.judge(verify, 200, ""), verdict::done);
  errand hopeless{.number = 1, .what = act::verify};
  int asked = 1;
  while (clerk_.judge(hopeless, 422, code_wrong) == verdict::next) ++asked;
  EXPECT_EQ(asked, clerk::letters_max);
}

TEST_F(Clerk, FindsOutWhetherACodeWasUsedBeforeItsAnswerWasLost) {
  errand used{.number = 1, .what = act::verify}, old = used;
  EXPECT_EQ(clerk_.judge(used, 422, code_expired), verdict::next);
  EXPECT_THAT(text_of(used), HasSubstr("GET /v1/me HTTP/1.1"));
  EXPECT_EQ(clerk_.judge(used, 200, R"({"state":"email_verified"})"), verdict::done);
  // One that was never used is too old: another letter has to be asked for.
  EXPECT_EQ(clerk_.judge(old, 422, code_expired), verdict::next);
  EXPECT_EQ(clerk_.judge(old, 200, R"({"state":"email_entered"})"), verdict::next);
  EXPECT_THAT(text_of(old), HasSubstr("POST /v1/accounts HTTP/1.1"));
  EXPECT_EQ(clerk_.judge(old, 202, ""), verdict::next);
  EXPECT_THAT(text_of(old), HasSubstr(keys_.email_code(keys_.account_of("pemohon1@contoh.id"), 2)));
  EXPECT_EQ(clerk_.judge(old, 200, ""), verdict::done);
}

class Progress : public testing::Test {
protected:
  storage::testing::temporary_directory room_;
  progress_file file_{room_.path()};
};

TEST_F(Progress, IsReadAsItWasWritten) {
  ASSERT_TRUE(file_.read());
  EXPECT_FALSE(file_.read()->has_value());
  progress_file::content written{
      .of = {7, "0.01", "abc"},
      .at = {.step = 3, .lot = 50'001, .part = 2, .position = UINT64_MAX},
      .found = {}};
  written.found.by_act[1] = {.done = 12, .repeats = 3, .seconds = 1.5};
  written.found.waves.push_back({.number = 1, .places = 5, .joins = 9, .accepted = 5});
  written.found.fault("a fault");
  histogram latency;
  latency.record(1234);
  written.found.peaks.push_back({8, 500, latency.sparse()});
  ASSERT_TRUE(file_.write(written));
  const auto read = file_.read();
  ASSERT_TRUE(read && *read) << read.error();
  EXPECT_EQ((*read)->of, written.of);
  EXPECT_EQ((*read)->at.position, UINT64_MAX);
  EXPECT_EQ((*read)->at.lot, 50'001u);
  EXPECT_EQ(to_json((*read)->found), to_json(written.found));
}

TEST_F(Progress, ThatIsDamagedIsNotGoneOnWith) {
  ASSERT_TRUE(file_.write({}));
  const auto file = room_.path() / "progress.json";
  std::ifstream in{file};
  const std::string good{std::istreambuf_iterator<char>{in}, {}};
  for (const auto& wrong : {std::string{}, good.substr(0, good.size() / 2), std::string{"{}"},
                            std::string{R"({"format":2})"}}) {
    std::ofstream{file} << wrong;
    EXPECT_FALSE(file_.read()) << wrong;
  }
}

TEST_F(Progress, KeepsMembersOfTheLastTwoWaves) {
  bits members{100}, read{100};
  for (std::uint32_t wave = 1; wave <= 3; ++wave) {
    members.set(wave);
    ASSERT_TRUE(file_.write_members(wave, members));
  }
  EXPECT_FALSE(file_.read_members(1, read));
  ASSERT_TRUE(file_.read_members(2, read));
  EXPECT_EQ(read.count(), 2u);
  ASSERT_TRUE(file_.read_members(3, read));
  EXPECT_EQ(read.count(), 3u);
  bits others{101};
  EXPECT_FALSE(file_.read_members(3, others));
}

TEST(CpuMeter, MeasuresItselfAndTheProcessOfTheFile) {
  const storage::testing::temporary_directory room;
  std::ofstream{room.path() / "id"} << ::getpid() << '\n';
  const cpu_meter both{room.path() / "id"}, alone{{}}, nobody{room.path() / "none"};
  // Ticks are ten milliseconds.
  while (alone.used().generator < 0.05) continue;
  EXPECT_GT(both.used().node, 0.02);
  EXPECT_EQ(alone.used().node, 0);
  EXPECT_EQ(nobody.used().node, 0);
  std::ofstream{room.path() / "id"} << 1 << '\n';
  EXPECT_EQ(both.used().node, 0);
}

TEST(ProgressLine, EstimatesByWhatEachActTakes) {
  plan all;
  all.cohorts = {{.first = 1, .counts = {100, 100, 100, 100, 100}}};
  findings found;
  found.by_act[0] = {.done = 100, .seconds = 1};
  found.by_act[1] = {.done = 50, .seconds = 5};
  for (std::size_t a = 2; a < acts; ++a) found.by_act[a] = {.done = 100, .seconds = 1};
  const auto now = progress_line::estimate_of(all, found);
  EXPECT_DOUBLE_EQ(now.share, 0.9);
  EXPECT_DOUBLE_EQ(now.seconds_left, 5);
}

TEST(Entries, AreReadAndTheirAcceptedFoundAmongPeople) {
  const storage::testing::temporary_directory room;
  const auto keys = keyring::from_bytes({9});
  const auto file = room.path() / "entries.csv";
  const auto line_of = [&](std::uint64_t number, const char* outcome) {
    std::string id;
    for (const auto byte : keys.entry_of({5}, keys.account_of(seed::email_of(number))))
      id += fmt::format("{:02x}", byte);
    return id + ",3174,0,0123456789abcdef,2,00ff," + outcome + ",\n";
  };
  const std::string head = "entry_id,region,groups,family,family_room,ticket,outcome,order\n";
  std::ofstream{file} << head << line_of(1, "accepted") << line_of(2, "reserve")
                      << line_of(3, "accepted");
  const auto read = read_entries(file);
  ASSERT_TRUE(read) << read.error();
  EXPECT_EQ(read->entries, 3u);
  plan all;
  all.cohorts = {{.first = 1, .counts = {4, 4, 4, 4, 4}}};
  crowd who{all};
  // Person 3 was accepted and had never joined.
  who.joined().set(1);
  who.joined().set(2);
  EXPECT_EQ(make_members(*read, 5, keys, 4, who), 1u);
  EXPECT_TRUE(who.members().at(1));
  EXPECT_FALSE(who.members().at(2) || who.members().at(3));
  for (const auto& wrong : {std::string{"entry_id\n"}, head + "xyz,1,2,3,4,5,accepted,\n",
                            head + line_of(1, "accepted,more"), head + "\n"}) {
    std::ofstream{file} << wrong;
    EXPECT_FALSE(read_entries(file)) << wrong;
  }
  EXPECT_FALSE(verify_draw("/bin/false", file, file));
  EXPECT_TRUE(verify_draw("/bin/true", file, file));
  EXPECT_FALSE(verify_draw("/no/such/program", file, file));
}

}  // namespace
}  // namespace gelombang::load::replay
