#include "actors/programme/keys.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "actors/programme/hex.hpp"

namespace gelombang {
namespace {

keyring test_keys(std::uint8_t fill = 7) {
  std::array<std::uint8_t, 32> master;
  master.fill(fill);
  return keyring::from_bytes(master);
}

/// A directory of the test's own, removed with it.
class temporary_directory {
public:
  temporary_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "keys-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  ~temporary_directory() { std::filesystem::remove_all(path_); }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

TEST(Keyring, KeepsItsPurposesApart) {
  auto keys = test_keys();
  std::string_view digits = "3201151708900001";
  EXPECT_NE(keys.nik_hash(digits), keys.phone_hash(digits));
  EXPECT_NE(keys.account_of(digits).value, keys.family_of(digits));
  EXPECT_NE(keys.access_token_key(), keys.refresh_token_key());
  EXPECT_NE(keys.waiting_ticket_key(), keys.refresh_token_key());
  EXPECT_NE(keys.waiting_ticket_key(), keys.access_token_key());
}

TEST(Keyring, GivesTheSameForTheSameMasterKeyOnly) {
  EXPECT_EQ(test_keys().account_of("a@b.id"), test_keys().account_of("a@b.id"));
  EXPECT_NE(test_keys().account_of("a@b.id"), test_keys(8).account_of("a@b.id"));
  EXPECT_NE(test_keys().account_of("a@b.id"), test_keys().account_of("a@c.id"));
}

// Stored ids hang on these values: they may never change.
TEST(Keyring, DerivesWhatItDerivedWhenTheFirstDataWasStored) {
  auto keys = test_keys();
  EXPECT_EQ(keys.account_of("pemohon1@contoh.id").value, 8422748425181443089ull);
  EXPECT_EQ(to_hex(keys.entry_of(wave_number{1}, applicant_id{2})),
            "0ef77b49627abaa3ef2296e143d11c64");
  EXPECT_EQ(keys.family_of("3201150101200003"), 4046210086722891634ull);
  EXPECT_EQ(to_hex(keys.nik_hash("3201151708900001")), "8f416d6e922b8d78efbf0fc3cc5d001c");
  EXPECT_EQ(to_hex(keys.phone_hash("+6281234567890")), "6feed57d52d1994f15d38109bdb4a6fc");
  EXPECT_EQ(keys.email_code(applicant_id{2}, 1), "351194");
}

TEST(Keyring, GivesEachEntryOfEachWaveItsOwnName) {
  auto keys = test_keys();
  std::set<entry_id> names;
  for (std::uint32_t wave = 1; wave <= 20; ++wave) {
    for (std::uint64_t applicant = 0; applicant < 500; ++applicant) {
      names.insert(keys.entry_of(wave_number{wave}, applicant_id{applicant << 40 | applicant}));
    }
  }
  EXPECT_EQ(names.size(), 20u * 500u);
}

TEST(Keyring, OpensWhatItSealedForTheSameOwnerOnly) {
  auto keys = test_keys();
  applicant_id owner{42};
  for (std::size_t size : {0u, 1u, 16u, 1000u}) {
    std::string plain(size, 'x');
    auto sealed = keys.seal(owner, plain);
    EXPECT_EQ(sealed.size(), plain.size() + 24);
    EXPECT_EQ(keys.open(owner, sealed), plain);
    EXPECT_FALSE(keys.open(applicant_id{43}, sealed));
    EXPECT_FALSE(test_keys(8).open(owner, sealed));
  }
  EXPECT_NE(keys.seal(owner, "same"), keys.seal(owner, "same"));
}

TEST(Keyring, RefusesAnySealedFieldThatWasTouched) {
  auto keys = test_keys();
  applicant_id owner{42};
  auto sealed = keys.seal(owner, "3201151708900001");
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto touched = sealed;
    touched[at] = static_cast<char>(touched[at] ^ 1);
    auto opened = keys.open(owner, touched);
    ASSERT_FALSE(opened) << at;
    EXPECT_EQ(opened.error().code, errc::internal);
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(keys.open(owner, sealed.substr(0, size))) << size;
  }
}

TEST(Keyring, MakesCodesOfSixDigits) {
  auto keys = test_keys();
  std::set<std::string> codes;
  for (std::uint32_t generation = 0; generation < 2000; ++generation) {
    auto code = keys.email_code(applicant_id{9}, generation);
    ASSERT_EQ(code.size(), 6u);
    ASSERT_EQ(code.find_first_not_of("0123456789"), std::string::npos);
    codes.insert(code);
  }
  EXPECT_GT(codes.size(), 1990u);
}

TEST(KeyFile, IsMadeOnceForItsOwnerAlone) {
  temporary_directory directory;
  auto file = directory.path() / "master.key";
  EXPECT_FALSE(keyring::load(file));
  auto made = keyring::load_or_create(file);
  ASSERT_TRUE(made) << made.error();
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  auto again = keyring::load_or_create(file);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->account_of("a@b.id"), made->account_of("a@b.id"));
  EXPECT_EQ(keyring::load(file)->account_of("a@b.id"), made->account_of("a@b.id"));
  auto files = std::distance(std::filesystem::directory_iterator{directory.path()}, {});
  EXPECT_EQ(files, 1);
}

TEST(KeyFile, MustBeOneLineOf64HexDigits) {
  temporary_directory directory;
  auto file = directory.path() / "master.key";
  const std::string good(64, 'a');
  for (const auto& [text, valid] :
       std::vector<std::pair<std::string, bool>>{{good, true},
                                                 {good + "\n", true},
                                                 {"", false},
                                                 {good.substr(1), false},
                                                 {good + "a", false},
                                                 {good + "\n\n", false},
                                                 {good + "\nx", false},
                                                 {std::string(64, 'A'), false},
                                                 {std::string(64, 'g'), false}}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    auto keys = keyring::load(file);
    EXPECT_EQ(keys.has_value(), valid) << text;
    auto reason = keys ? std::string("master.key") : keys.error();
    EXPECT_NE(reason.find("master.key"), std::string::npos) << reason;
  }
}

TEST(KeyFile, ThatCannotBeMadeIsNamed) {
  auto keys = keyring::load_or_create("/proc/nowhere/master.key");
  ASSERT_FALSE(keys);
  EXPECT_NE(keys.error().find("/proc/nowhere/master.key"), std::string::npos) << keys.error();
}

}  // namespace
}  // namespace gelombang
