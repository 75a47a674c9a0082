#include "actors/registry/lists.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace gelombang::registry {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

const std::string first_nik = "3201011708900001";
const std::string second_nik = "3273024101010042";

std::vector<std::string> faults(std::string_view text, list_format format = list_format::csv) {
  auto read = read_list(text, format);
  return read ? std::vector<std::string>{} : read.error();
}

TEST(Lists, HaveNames) {
  for (std::uint32_t number = 0; number < lists_count; ++number) {
    auto which = static_cast<list>(number);
    EXPECT_EQ(list_named(name_of(which)), which);
  }
  EXPECT_FALSE(list_named("navy"));
  EXPECT_EQ(name_of(static_cast<list>(lists_count)), "");
}

TEST(ListFile, ReadsCsv) {
  auto read = read_list("# list=military version=7\r\nsource,nik,listed\n\nx," + first_nik +
                            ",yes\r\ny," + second_nik + ",no",
                        list_format::csv);
  ASSERT_TRUE(read) << read.error()[0];
  EXPECT_EQ(read->list, list::military);
  EXPECT_EQ(read->version, 7u);
  ASSERT_EQ(read->entries.size(), 2u);
  EXPECT_EQ(read->entries[0].person.digits(), first_nik);
  EXPECT_TRUE(read->entries[0].listed);
  EXPECT_FALSE(read->entries[1].listed);
}

TEST(ListFile, ReadsCsvWithoutTheColumnListed) {
  auto read = read_list("# list=students version=1\nnik\n" + first_nik + "\n", list_format::csv);
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->entries.at(0).listed);
}

TEST(ListFile, ReadsNdjson) {
  auto read = read_list("{\"list\":\"social_aid\",\"version\":20261101}\n{\"nik\":\"" + first_nik +
                            "\",\"source\":1}\n{\"nik\":\"" + second_nik + "\",\"listed\":false}\n",
                        list_format::ndjson);
  ASSERT_TRUE(read) << read.error()[0];
  EXPECT_EQ(read->list, list::social_aid);
  EXPECT_EQ(read->version, 20261101u);
  EXPECT_TRUE(read->entries.at(0).listed);
  EXPECT_FALSE(read->entries.at(1).listed);
}

TEST(ListFile, NamesEveryLineThatIsWrongAndReadsNothing) {
  EXPECT_THAT(faults("# list=military version=7\nnik,listed\n" + first_nik + ",yes\n123,yes\n" +
                     second_nik + ",maybe\n" + first_nik + ",no\n" + std::string(2000, '1')),
              ElementsAre(HasSubstr("line 4: nik:"), "line 5: listed: neither \"yes\" nor \"no\"",
                          "line 6: nik: a second time", "line 7: longer than 1024 bytes"));
}

TEST(ListFile, NamesEveryLineOfNdjsonThatIsWrong) {
  EXPECT_THAT(
      faults(
          "{\"list\":\"police\",\"version\":1}\n[]\n{\"nik\":3201011708900001}\n{\"nik\":\"x\"}\n"
          "{\"nik\":\"" +
              first_nik + "\",\"listed\":1}\n{\"nik\"\n{}",
          list_format::ndjson),
      ElementsAre("line 2: not a JSON object", "line 3: nik: not a string",
                  HasSubstr("line 4: nik:"), "line 5: listed: neither true nor false",
                  "line 6: not a JSON object", "line 7: nik: not a string"));
}

TEST(ListFile, TellsNoNik) {
  auto wrong = first_nik.substr(0, 12) + "0000";
  EXPECT_THAT(faults("# list=police version=1\nnik\n" + wrong + "\n" + wrong + "9\n" + second_nik +
                     "\n" + second_nik),
              AllOf(SizeIs(3), Each(Not(HasSubstr("17089"))), Each(Not(HasSubstr("410101")))));
}

TEST(ListFile, MustSayWhatItIs) {
  for (auto text : {"", "\n\n"}) {
    EXPECT_THAT(faults(text), ElementsAre("line 1: the file is empty"));
    EXPECT_THAT(faults(text, list_format::ndjson), ElementsAre("line 1: the file is empty"));
  }
  EXPECT_THAT(faults("nik\n" + first_nik),
              ElementsAre("line 1: expected \"# list=NAME version=NUMBER\""));
  EXPECT_THAT(faults("# list=navy version=1\nnik"),
              ElementsAre("line 1: list \"navy\" is unknown"));
  EXPECT_THAT(faults("# list=police version=0\nnik"),
              ElementsAre("line 1: version must be 1 or more"));
  EXPECT_THAT(faults("# list=police version=1x\nnik"),
              ElementsAre("line 1: version is not a whole number"));
  EXPECT_THAT(faults("# list=police version=1\nname"),
              ElementsAre("line 2: there is no column \"nik\""));
  for (auto line : {"{}", "[]", "x", "{\"list\":\"police\",\"version\":-1}",
                    "{\"list\":1,\"version\":1}", "{\"list\":\"police\",\"version\":1e9}"}) {
    EXPECT_THAT(faults(line, list_format::ndjson), SizeIs(1)) << line;
  }
}

TEST(ListFile, StopsAtTwentyFaults) {
  std::string text = "# list=police version=1\nnik\n";
  for (int i = 0; i < 1000; ++i) text += "x\n";
  EXPECT_THAT(faults(text), SizeIs(list_errors_max));
}

TEST(ListFile, SurvivesAnyBytes) {
  std::mt19937 random(1);
  const std::string alphabet = "# list=police version=1\n\r,{}[]\":nik0123456789\xFF";
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 2 ? "# list=police version=1\nnik,listed\n"
                                 : "{\"list\":\"police\",\"version\":1}\n";
    for (auto bytes = random() % 200; bytes > 0; --bytes) {
      text += alphabet[random() % alphabet.size()];
    }
    for (auto format : {list_format::csv, list_format::ndjson}) {
      auto read = read_list(text, format);
      if (read) {
        EXPECT_EQ(read->list, list::police);
      } else {
        EXPECT_LE(read.error().size(), list_errors_max);
      }
    }
  }
}

}  // namespace
}  // namespace gelombang::registry
