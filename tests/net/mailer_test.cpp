#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>

#include "net/mailer/directory_sender.hpp"
#include "net/mailer/mime.hpp"
#include "net/mailer/post_office.hpp"
#include "net/mailer/smtp_sender.hpp"
#include "tests/net/smtp_sink.hpp"

namespace gelombang::mailer {
namespace {

using namespace std::chrono_literals;
using gelombang::testing::smtp_sink;
using gelombang::testing::test_certificate;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// Friday, 2 January 2026, 12:00 in Jakarta.
constexpr instant friday_noon{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2} + 5h};

const mailbox from_us{"Kartu Pelatihan", "no-reply@example.com"};

job code_for(std::string to, std::uint64_t sequence = 1) {
  return {{7, sequence}, std::move(to), letter_kind::code, "048213"};
}

letter letter_to(const std::string& to) {
  return write_letter(code_for(to), from_us, friday_noon).value();
}

class temporary_directory {
public:
  temporary_directory() {
    auto pattern = (std::filesystem::temp_directory_path() / "mailer.XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~temporary_directory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) files.push_back(entry);
  return files;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file}.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

/// The inverse of `quoted_printable`, written from RFC 2045 and not from our encoder.
std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '=') {
      if (text[i] != '\r') out += text[i];
    } else if (text.compare(i, 3, "=\r\n") == 0) {
      i += 2;
    } else {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    }
  }
  return out;
}

// --- letters ------------------------------------------------------------------------------------

TEST(MailAddress, RefusesWhatCouldSmuggleInAHeaderOrACommand) {
  const std::string nul{"a\0@example.com", 14};
  for (const std::string& bad :
       {std::string{"a@example.com\r\nBcc: all@example.com"}, std::string{"a@example.com\n"},
        std::string{"a@example.com>\r\nDATA"}, std::string{"<a@example.com>"},
        std::string{"a b@example.com"}, std::string{"a@b@example.com"}, std::string{"@example.com"},
        std::string{"a@"}, std::string{""}, std::string{"a"}, std::string{"a\t@example.com"},
        std::string{"\xc3\xa9@example.com"}, std::string{"a,b@example.com"}, nul,
        std::string(251, 'a') + "@b.c"}) {
    EXPECT_FALSE(is_safe_address(bad)) << bad;
    EXPECT_FALSE(write_letter(code_for(bad), from_us, friday_noon)) << bad;
  }
  EXPECT_TRUE(is_safe_address("siti.aminah+kartu@example.com"));
  EXPECT_TRUE(is_safe_address(std::string(250, 'a') + "@b.c"));
}

TEST(MailAddress, SenderIsReadFromTheConfiguration) {
  EXPECT_EQ(parse_mailbox("no-reply@example.com")->name, "");
  EXPECT_EQ(parse_mailbox("Kartu <no-reply@example.com>")->name, "Kartu");
  EXPECT_EQ(parse_mailbox("Kartu <no-reply@example.com>")->address, "no-reply@example.com");
  for (const auto* bad : {"", "Kartu", "Kartu <no-reply@example.com", "Kartu <a@b.c> x", "Kartu <>",
                          "Ka\r\nBcc: x@y.z\r\nrtu <a@b.c>"})
    EXPECT_FALSE(parse_mailbox(bad)) << bad;
}

TEST(Letter, CarriesTheCodeAloneOnALine) {
  const auto text = letter_to("siti@example.com").message;
  EXPECT_THAT(lines_of(text), Contains("048213"));
}

TEST(Letter, HasTheHeadersOfRfc5322) {
  const auto written = letter_to("siti@example.com");
  const auto lines = lines_of(written.message);
  EXPECT_THAT(lines, Contains("Date: Fri, 02 Jan 2026 12:00:00 +0700"));
  EXPECT_THAT(lines, Contains("From: \"Kartu Pelatihan\" <no-reply@example.com>"));
  EXPECT_THAT(lines, Contains("To: siti@example.com"));
  EXPECT_THAT(lines, Contains("Message-ID: <" + written.message_id + ">"));
  EXPECT_THAT(lines, Contains("MIME-Version: 1.0"));
  EXPECT_THAT(written.message, HasSubstr("\r\n\r\nMasukkan"));
  for (const auto& line : lines) EXPECT_LE(line.size(), 78U) << line;
}

TEST(Letter, SameJobKeepsItsMessageIdAndAnotherHasAnother) {
  const auto first = write_letter(code_for("siti@example.com", 1), from_us, friday_noon);
  const auto again = write_letter(code_for("siti@example.com", 1), from_us, friday_noon + 1h);
  const auto other = write_letter(code_for("siti@example.com", 2), from_us, friday_noon);
  EXPECT_EQ(first->message_id, again->message_id);
  EXPECT_NE(first->message_id, other->message_id);
}

TEST(Letter, SendersNameInAnotherScriptIsEncoded) {
  const auto written =
      write_letter(code_for("siti@example.com"), {"Kartu \xC3\xA9", "a@example.com"}, friday_noon);
  EXPECT_THAT(written->message, HasSubstr("From: =?UTF-8?Q?Kartu_=C3=A9?= <a@example.com>\r\n"));
}

TEST(QuotedPrintable, KeepsLinesShortAndTextWhole) {
  std::mt19937 chance{2026};  // NOLINT: the same texts in every run
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (auto length = chance() % 400; length > 0; --length)
      text += std::string{"a. =\n\t\xC3\xA9~"}[chance() % 9];
    text += '\n';
    const auto encoded = quoted_printable(text);
    for (const auto& line : lines_of(encoded)) {
      EXPECT_LE(line.size(), 76U);
      EXPECT_FALSE(line.starts_with('.')) << line;
      EXPECT_FALSE(line.ends_with(' ') || line.ends_with('\t')) << line;
    }
    EXPECT_EQ(decoded(encoded), text);
  }
}

TEST(HeaderText, EncodedWordsAreShortAndNeverSplitACharacter) {
  std::string text;
  for (int i = 0; i < 60; ++i) text += "\xE2\x82\xAC";
  for (const auto& word : lines_of(header_text(text))) {
    const auto bare = word.substr(word.find_first_not_of(' '));
    EXPECT_LE(bare.size(), 75U);
    EXPECT_EQ(bare.substr(0, 10), "=?UTF-8?Q?");
    EXPECT_EQ((bare.size() - 12) % 9, 0U) << bare;
  }
  EXPECT_EQ(header_text("plain text"), "plain text");
  EXPECT_EQ(header_text("a\r\nBcc: b"), "=?UTF-8?Q?a=0D=0ABcc=3A_b?=");
}

// --- the directory ------------------------------------------------------------------------------

TEST(DirectorySender, WritesOneFileALetter) {
  const temporary_directory room;
  directory_sender sender{room.path() / "made" / "when needed"};
  ASSERT_TRUE(sender.send(letter_to("siti@example.com")));
  ASSERT_TRUE(sender.send(letter_to("budi@example.com")));
  const auto files = files_in(room.path() / "made" / "when needed");
  ASSERT_THAT(files, SizeIs(2));
  for (const auto& file : files) {
    EXPECT_THAT(file.filename().string(), StartsWith("20260102T050000.000-"));
    EXPECT_EQ(file.extension(), ".eml");
    EXPECT_THAT(lines_of(text_of(file)), Contains("048213"));
  }
}

TEST(DirectorySender, DirectoryThatCannotBeMadeIsATemporaryFault) {
  const temporary_directory room;
  std::ofstream{room.path() / "file"} << "not a directory";
  directory_sender sender{room.path() / "file" / "mail"};
  const auto outcome = sender.send(letter_to("siti@example.com"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, send_fault::temporary);
  EXPECT_THAT(outcome.error().detail, HasSubstr("file"));
}

/// Files may not grow beyond the limit while this stands.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) {
    before_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limited{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, before_);
  }

private:
  rlimit old_{};
  void (*before_)(int) = nullptr;
};

TEST(DirectorySender, DiskThatTakesNoMoreLeavesNoHalfLetter) {
  const temporary_directory room;
  directory_sender sender{room.path()};
  {
    const file_size_limit full{100};
    const auto outcome = sender.send(letter_to("siti@example.com"));
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, send_fault::temporary);
    EXPECT_THAT(files_in(room.path()), IsEmpty());
  }
  EXPECT_TRUE(sender.send(letter_to("siti@example.com")));
}

// --- SMTP ---------------------------------------------------------------------------------------

smtp_options relay_at(const smtp_sink& sink) {
  return {.host = "127.0.0.1", .port = sink.port(), .timeout = 20s};
}

send_fault fault_of(const send_result& outcome) {
  EXPECT_FALSE(outcome);
  return outcome ? send_fault{} : outcome.error().kind;
}

TEST(SmtpSender, HandsTheLetterOverWholeOnOneConnection) {
  smtp_sink sink{{}};
  smtp_sender sender{relay_at(sink)};
  for (const auto* to : {"siti@example.com", "budi@example.com", "wati@example.com"})
    ASSERT_TRUE(sender.send(letter_to(to)));
  const auto received = sink.received();
  ASSERT_THAT(received, SizeIs(3));
  EXPECT_EQ(received[1].from, "<no-reply@example.com>");
  EXPECT_EQ(received[1].to, "<budi@example.com>");
  EXPECT_EQ(received[1].message, letter_to("budi@example.com").message);
  EXPECT_EQ(sink.connections(), 1);
}

TEST(SmtpSender, TakesAnotherConnectionWhenTheRelayHasClosedIt) {
  smtp_sink sink{{.drop_after_message = true}};
  smtp_sender sender{relay_at(sink)};
  for (int i = 0; i < 3; ++i) {
    // The relay's goodbye may arrive in the middle of the next letter: then that one is tried
    // again.
    auto outcome = sender.send(letter_to("siti@example.com"));
    if (!outcome) {
      EXPECT_EQ(fault_of(outcome), send_fault::temporary);
      outcome = sender.send(letter_to("siti@example.com"));
    }
    EXPECT_TRUE(outcome);
  }
  EXPECT_THAT(sink.received(), SizeIs(3));
}

TEST(SmtpSender, WhatTheRelaySaysOfALetterDecidesWhetherItIsForGood) {
  smtp_sink sink{
      {.to_rcpt = {"550 no such person", "451 later"}, .to_message = {"554 spam", "452 full"}}};
  smtp_sender sender{relay_at(sink)};
  const auto to_siti = letter_to("siti@example.com");
  EXPECT_EQ(fault_of(sender.send(to_siti)), send_fault::permanent) << "RCPT 550";
  EXPECT_EQ(fault_of(sender.send(to_siti)), send_fault::temporary) << "RCPT 451";
  EXPECT_EQ(fault_of(sender.send(to_siti)), send_fault::permanent) << "message 554";
  EXPECT_EQ(fault_of(sender.send(to_siti)), send_fault::temporary) << "message 452";
  EXPECT_TRUE(sender.send(to_siti));
}

TEST(SmtpSender, RelayThatTurnsUsAwayDoesNotCondemnTheLetter) {
  smtp_sink closed{{.greeting = "554 not you"}};
  EXPECT_EQ(fault_of(smtp_sender{relay_at(closed)}.send(letter_to("siti@example.com"))),
            send_fault::temporary);

  smtp_sink strict{{.to_auth = "535 wrong password"}};
  auto options = relay_at(strict);
  options.user = "gelombang";
  options.password = "wrong";
  EXPECT_EQ(fault_of(smtp_sender{options}.send(letter_to("siti@example.com"))),
            send_fault::temporary);

  smtp_sink needs_password{{.to_rcpt = {"530 5.7.1 authentication required"}}};
  EXPECT_EQ(fault_of(smtp_sender{relay_at(needs_password)}.send(letter_to("siti@example.com"))),
            send_fault::temporary);
}

TEST(SmtpSender, ConnectionLostBeforeTheAnswerIsTemporary) {
  smtp_sink sink{{.drop_in_data = 1}};
  smtp_sender sender{relay_at(sink)};
  EXPECT_EQ(fault_of(sender.send(letter_to("siti@example.com"))), send_fault::temporary);
  EXPECT_TRUE(sender.send(letter_to("siti@example.com")));
}

TEST(SmtpSender, SilentRelayIsGivenUpAfterTheTimeout) {
  smtp_sink sink{{.silent = true}};
  auto options = relay_at(sink);
  options.timeout = 50ms;
  EXPECT_EQ(fault_of(smtp_sender{options}.send(letter_to("siti@example.com"))),
            send_fault::temporary);
}

TEST(SmtpSender, NobodyListeningIsTemporary) {
  std::uint16_t port = 0;
  {
    const smtp_sink gone{{}};
    port = gone.port();
  }
  smtp_sender sender{{.host = "127.0.0.1", .port = port}};
  EXPECT_EQ(fault_of(sender.send(letter_to("siti@example.com"))), send_fault::temporary);
}

class SmtpOverTls : public ::testing::Test {
protected:
  SmtpOverTls() { std::ofstream{authorities()} << certificate_.certificate; }
  std::string authorities() const { return room_.path() / "authorities.pem"; }

  smtp_options secured(const smtp_sink& sink, smtp_security how) const {
    auto options = relay_at(sink);
    options.security = how;
    options.certificates = authorities();
    return options;
  }

  temporary_directory room_;
  test_certificate certificate_ = test_certificate::make();
};

TEST_F(SmtpOverTls, UpgradesAndAuthenticatesOnlyAfterwards) {
  smtp_sink sink{{.certificate = certificate_}};
  auto options = secured(sink, smtp_security::starttls);
  options.user = "gelombang";
  options.password = "rahasia";
  ASSERT_TRUE(smtp_sender{options}.send(letter_to("siti@example.com")));
  EXPECT_THAT(sink.received(), SizeIs(1));
  const auto commands = sink.commands();
  ASSERT_GE(commands.size(), 5U);
  EXPECT_EQ(commands[1], "STARTTLS");
  EXPECT_EQ(commands[3], "AUTH PLAIN");
  EXPECT_EQ(commands[4], "AGdlbG9tYmFuZwByYWhhc2lh") << "NUL gelombang NUL rahasia, in base64";
}

TEST_F(SmtpOverTls, SpeaksTlsFromTheFirstByte) {
  smtp_sink sink{{.certificate = certificate_, .tls_from_start = true}};
  ASSERT_TRUE(smtp_sender{secured(sink, smtp_security::tls)}.send(letter_to("siti@example.com")));
  EXPECT_THAT(sink.received(), SizeIs(1));
}

TEST_F(SmtpOverTls, RelayWithoutTlsGetsNothing) {
  smtp_sink sink{{}};
  smtp_sender sender{secured(sink, smtp_security::starttls)};
  EXPECT_EQ(fault_of(sender.send(letter_to("siti@example.com"))), send_fault::temporary);
  EXPECT_THAT(sink.commands(), Not(Contains(StartsWith("MAIL"))));
}

TEST_F(SmtpOverTls, StrangersCertificateIsRefused) {
  smtp_sink sink{{.certificate = test_certificate::make()}};
  smtp_sender sender{secured(sink, smtp_security::starttls)};
  EXPECT_EQ(fault_of(sender.send(letter_to("siti@example.com"))), send_fault::temporary);
  EXPECT_THAT(sink.received(), IsEmpty());
}

}  // namespace
}  // namespace gelombang::mailer
