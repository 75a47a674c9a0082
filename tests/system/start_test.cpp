#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>

#include "tests/system/support/node.hpp"
#include "tests/system/support/programme_client.hpp"

namespace gelombang::system_testing {
namespace {

namespace fs = std::filesystem;

constexpr ending in_order{.code = 0};
constexpr ending wrong_configuration{.code = 2};
constexpr ending environment_failed{.code = 3};

bool says(const node& told, const std::string& what) {
  return told.log().find(what) != std::string::npos;
}

/// A port that somebody listens at.
class busy_port {
public:
  busy_port() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), length), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    number_ = ntohs(address.sin_port);
  }
  busy_port(const busy_port&) = delete;
  busy_port& operator=(const busy_port&) = delete;
  ~busy_port() { ::close(socket_); }
  std::uint16_t number() const { return number_; }

private:
  int socket_;
  std::uint16_t number_ = 0;
};

class StartTest : public testing::Test {
protected:
  /// @returns how a start ended that did not come to `ready`.
  static std::optional<ending> failed_start(node& of) {
    EXPECT_FALSE(of.start());
    return of.wait();
  }

  /// What `audit verify` prints, everything in its place.
  finished audited() const { return audit(where_.data); }

  scratch place_;
  home where_{place_.path()};
};

TEST_F(StartTest, APortInUseIsToldBeforeAnythingIsMade) {
  const busy_port taken;
  node late{where_, {}, taken.number()};
  EXPECT_EQ(failed_start(late), environment_failed);
  EXPECT_TRUE(says(late, std::to_string(taken.number()))) << late.log();
  EXPECT_FALSE(fs::exists(where_.data));
  EXPECT_FALSE(fs::exists(where_.key));
}

TEST_F(StartTest, AMissingKeyIsNotReplaced) {
  ASSERT_EQ(seed(where_, 5).how.code, 0);
  fs::rename(where_.key, place_.path() / "elsewhere.key");
  node without{where_};
  EXPECT_EQ(failed_start(without), wrong_configuration);
  EXPECT_TRUE(says(without, where_.key.string() + " is missing")) << without.log();
  EXPECT_FALSE(fs::exists(where_.key));
}

TEST_F(StartTest, FilesThatAreMissingAreToldAllAtOnceBeforeAnythingIsMade) {
  const auto log = place_.path() / "logs" / "node.log";
  node without{
      where_,
      {"listen.tls_certificate=/nowhere/chain.pem", "listen.tls_key=/nowhere/key.pem",
       "programme.regions=/nowhere/regions.csv", "keys.create=false", "log.file=" + log.string()}};
  EXPECT_EQ(failed_start(without), wrong_configuration);
  for (const auto* one : {"listen.tls_certificate = /nowhere/chain.pem", "programme.regions = /now",
                          "listen.tls_key = /nowhere/key.pem", "keys.file = "})
    EXPECT_TRUE(says(without, one)) << without.log();
  EXPECT_FALSE(fs::exists(where_.data));
  EXPECT_FALSE(fs::exists(log));
}

TEST_F(StartTest, AKeyThatOthersMayReadIsWarnedOfAndUsed) {
  const std::string warning = "is open to others than its owner (mode 0";
  {
    node own{where_};
    ASSERT_TRUE(own.start()) << own.log();
    EXPECT_EQ(own.interrupt(), in_order);
    EXPECT_FALSE(says(own, warning)) << own.log();
  }
  for (const auto more : {fs::perms::group_read, fs::perms::others_read, fs::perms::group_write}) {
    fs::permissions(where_.key, fs::perms::owner_read | fs::perms::owner_write | more);
    node open{where_};
    ASSERT_TRUE(open.start()) << open.log();
    EXPECT_EQ(open.interrupt(), in_order);
    EXPECT_TRUE(says(open, "keys.file: " + where_.key.string() + " " + warning)) << open.log();
    EXPECT_TRUE(says(open, " warning ")) << open.log();
  }
}

TEST_F(StartTest, AnotherKeyDoesNotPassWhereTheMarkIsLost) {
  ASSERT_EQ(seed(where_, 5).how.code, 0);
  fs::remove(where_.data / "KEY");
  auto with_another = where_;
  with_another.key = place_.path() / "another.key";
  std::ofstream{with_another.key} << std::string(64, 'a') << "\n";
  node stranger{with_another};
  EXPECT_EQ(failed_start(stranger), wrong_configuration);
  EXPECT_FALSE(fs::exists(where_.data / "KEY"));
  node own{where_};
  ASSERT_TRUE(own.start()) << own.log();
  EXPECT_TRUE(fs::exists(where_.data / "KEY"));
  EXPECT_TRUE(says(own, "KEY was missing, and is written again")) << own.log();
}

TEST_F(StartTest, AJournalWithoutTheNameOfItsEndIsNotGoneOnWith) {
  ASSERT_EQ(seed(where_, 1).how.code, 0);
  node killed{where_};
  ASSERT_TRUE(killed.start()) << killed.log();
  programme_client client{killed.port()};
  for (int waves = 0; waves < 2; ++waves)
    ASSERT_EQ(client.call(create_wave(operator_token(where_), 10)).status, 201);
  killed.kill();
  const auto name = where_.data / "journal" / "NEWEST", aside = place_.path() / "aside";
  fs::rename(name, aside);
  node without{where_};
  EXPECT_EQ(failed_start(without), environment_failed);
  EXPECT_TRUE(says(without, name.string() + " is missing")) << without.log();
  EXPECT_TRUE(says(without, "gelombang restore --from BACKUP --data-dir " + where_.data.string()))
      << without.log();
  EXPECT_EQ(audited().how.code, 1);
  fs::rename(aside, name);
  node whole{where_};
  EXPECT_TRUE(whole.start()) << whole.log();
}

TEST_F(StartTest, DataThatBeganEmptyIsHeldToItsJournalsEndAsWell) {
  node killed{where_};
  ASSERT_TRUE(killed.start()) << killed.log();
  std::ifstream mark{where_.data / "FORMAT"};
  std::string format;
  EXPECT_TRUE(std::getline(mark, format));
  EXPECT_EQ(format, "gelombang data 2");
  programme_client client{killed.port()};
  for (const auto* email : {"ani@contoh.id", "budi@contoh.id"})
    ASSERT_EQ(client.call(enter_email(email)).status, 202);
  killed.kill();
  const auto name = where_.data / "journal" / "NEWEST";
  ASSERT_TRUE(fs::remove(name));
  node without{where_};
  EXPECT_EQ(failed_start(without), environment_failed);
  EXPECT_TRUE(says(without, name.string() + " is missing")) << without.log();
  EXPECT_EQ(audited().how.code, 1);
}

TEST_F(StartTest, ADirectoryOfSomethingElseIsLeftAlone) {
  fs::create_directories(where_.data);
  std::ofstream{where_.data / "passwd"} << "root";
  node lost{where_};
  EXPECT_EQ(failed_start(lost), wrong_configuration);
  EXPECT_TRUE(says(lost, "passwd")) << lost.log();
  EXPECT_FALSE(fs::exists(where_.data / "KEY"));
  EXPECT_EQ(seed(where_, 5).how.code, 2);
}

TEST_F(StartTest, ADirectoryInUseIsToldInWords) {
  node first{where_};
  ASSERT_TRUE(first.start()) << first.log();
  auto quiet = where_;
  quiet.log = place_.path() / "second.log";
  node second{quiet};
  EXPECT_EQ(failed_start(second), environment_failed);
  EXPECT_TRUE(says(second, where_.data.string() + " is in use by another process")) << second.log();
  EXPECT_FALSE(says(second, "Resource temporarily unavailable"));
}

TEST_F(StartTest, WhoeverFindsADirectoryInUseLeavesNoMarkOfHisKey) {
  node first{where_};
  ASSERT_TRUE(first.start()) << first.log();
  // As if the two had begun at the same moment.
  ASSERT_TRUE(fs::remove(where_.data / "KEY"));
  auto other = where_;
  other.log = place_.path() / "second.log";
  other.key = place_.path() / "second.key";
  std::ofstream{other.key} << std::string(64, 'a') << "\n";
  node second{other};
  EXPECT_EQ(failed_start(second), environment_failed);
  EXPECT_FALSE(fs::exists(where_.data / "KEY"));
  EXPECT_EQ(seed(other, 5).how, environment_failed);
  EXPECT_FALSE(fs::exists(where_.data / "KEY"));
}

TEST_F(StartTest, DataOfWhichOnlyTheMarkIsLeftIsNotBegunAnew) {
  ASSERT_EQ(seed(where_, 5).how.code, 0);
  for (const auto* gone : {"state", "journal", "FORMAT"}) fs::remove_all(where_.data / gone);
  node empty{where_};
  EXPECT_EQ(failed_start(empty), wrong_configuration);
  EXPECT_TRUE(says(empty, "state/ and journal/ are gone")) << empty.log();
  EXPECT_FALSE(fs::exists(where_.data / "state"));
}

TEST_F(StartTest, NothingIsRestoredFromNothing) {
  node fresh{where_};
  ASSERT_TRUE(fresh.start()) << fresh.log();
  EXPECT_TRUE(says(fresh, "nothing is stored in")) << fresh.log();
  EXPECT_FALSE(says(fresh, "restored from"));
}

TEST_F(StartTest, AnAuditCountsANodeThatWasKilledBeforeItsFirstMinute) {
  node killed{where_};
  ASSERT_TRUE(killed.start()) << killed.log();
  programme_client client{killed.port()};
  mailbox letters{where_.mail};
  const std::string email = "budi@contoh.id";
  ASSERT_EQ(client.call(enter_email(email)).status, 202);
  const auto code = letters.wait_for_code(email, patience);
  ASSERT_TRUE(code);
  ASSERT_EQ(client.call(verify_email(email, *code, "a long passphrase")).status, 200);
  killed.kill();
  const auto told = audited();
  EXPECT_EQ(told.how, in_order) << told.err;
  EXPECT_NE(told.out.find("rows: 1 applicants"), std::string::npos) << told.out;
}

TEST_F(StartTest, AnAuditCountsTheJoinsBehindTheCheckpoint) {
  constexpr unsigned people = 40;
  ASSERT_EQ(seed(where_, people).how.code, 0);
  const auto tokens = applicant_tokens(where_, people);
  node killed{where_};
  ASSERT_TRUE(killed.start()) << killed.log();
  programme_client client{killed.port()};
  const auto wave = client.call(create_wave(operator_token(where_), 10)).number("number");
  ASSERT_TRUE(wave);
  for (const auto& token : tokens)
    ASSERT_EQ(client.call(join_wave(token, static_cast<unsigned>(*wave))).status, 201);
  killed.kill();
  const auto told = audited();
  EXPECT_EQ(told.how, in_order) << told.err;
  EXPECT_NE(told.out.find("applied in memory"), std::string::npos) << told.out;
  EXPECT_NE(told.out.find("40 participations"), std::string::npos) << told.out;
}

TEST_F(StartTest, DemoPasswordsAreShownOnlyWhereTheyOpenSomething) {
  const std::vector<std::string> demo{"demo.enabled=true"};
  node first{where_, demo};
  ASSERT_TRUE(first.start()) << first.log();
  ASSERT_EQ(first.interrupt(), in_order) << first.log();
  EXPECT_TRUE(says(first, "buka-gelombang-1")) << first.log();

  scratch elsewhere;
  const home other{elsewhere.path()};
  ASSERT_EQ(seed(other, 5).how.code, 0);
  node seeded{other, demo};
  ASSERT_TRUE(seeded.start()) << seeded.log();
  ASSERT_EQ(seeded.interrupt(), in_order) << seeded.log();
  EXPECT_FALSE(says(seeded, "buka-gelombang-1")) << seeded.log();
}

TEST_F(StartTest, RegionsThatAreNotTheOfficialOnesAreWarnedOf) {
  const std::string warned = "programme.regions";
  node usual{where_};
  ASSERT_TRUE(usual.start()) << usual.log();
  EXPECT_EQ(usual.log().find(warned), std::string::npos) << usual.log();
  ASSERT_TRUE(usual.interrupt());
  const auto cut = where_.data.parent_path() / "cut.csv";
  auto lines = lines_of(content_of(fs::path{GELOMBANG_SOURCE_DIR} / "config/regions.csv"));
  lines.resize(100);
  {
    std::ofstream out{cut};
    for (const auto& line : lines) out << line << '\n';
  }
  node other{where_, {"programme.regions=\"" + cut.string() + "\""}};
  ASSERT_TRUE(other.start()) << other.log();
  EXPECT_NE(other.log().find(warned), std::string::npos) << other.log();
}

TEST_F(StartTest, ABackupsTargetThatWillNotDoIsToldInTheAnswer) {
  ASSERT_EQ(seed(where_, 1).how.code, 0);
  const auto officer = operator_token(where_);
  node running{where_, {"log.level=\"warn\""}};
  ASSERT_TRUE(running.start()) << running.log();
  programme_client client{running.port()};
  const auto file = place_.path() / "file";
  std::ofstream{file} << "x";
  const std::pair<std::string, std::string> targets[] = {
      {(where_.data / "copy").string(), "inside the data directory"},
      {place_.path().string(), "is not empty"},
      {file.string(), "is no directory"},
      {"copy", "absolute"},
      {"/proc/copy", "can't be written"},
      {"/tmp/a\\u0000b", "NUL"},
      {"/" + std::string(300, 'n'), "too long"},
      {"", "must have 1 to"}};
  for (const auto& [target, why] : targets) {
    const auto told =
        client.post("/v1/operator/backups", officer, R"({"target":")" + target + "\"}");
    EXPECT_EQ(told.status, 422) << target << ": " << told.told();
    EXPECT_NE(told.body.find(why), std::string::npos) << told.told();
    EXPECT_NE(told.body.find("/target"), std::string::npos) << told.told();
  }
  const auto good = place_.path() / "copy";
  const auto made =
      client.post("/v1/operator/backups", officer, R"({"target":")" + good.string() + "\"}");
  EXPECT_EQ(made.status, 201) << made.told();
  EXPECT_EQ(made.text("target"), good.string());
  auto copy = where_;
  copy.data = good;
  node server{copy};
  EXPECT_EQ(failed_start(server), wrong_configuration);
  EXPECT_TRUE(says(server, "is a backup")) << server.log();
  EXPECT_EQ(audit(good).how, in_order) << "it still is one";
}

}  // namespace
}  // namespace gelombang::system_testing
