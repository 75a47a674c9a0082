#include "net/programme/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gelombang::net {
namespace {

using testing::ElementsAre;
namespace wire = wave::wire;

class Plans : public testing::Test {
protected:
  json_body& read(std::string_view text) {
    padded_ = std::string{text} + std::string(json_padding_bytes, ' ');
    body_ = reader_.read(std::string_view{padded_}.substr(0, text.size()));
    if (!body_) throw std::runtime_error("not JSON");
    return *body_;
  }
  result<wire::Plan> plan(std::string_view text) {
    return plan_in(read(text), {schemes_, region_table::standard()});
  }
  std::vector<std::string> pointers() const {
    std::vector<std::string> all;
    for (const auto& field : body_->faults().fields) all.push_back(field.pointer);
    return all;
  }

  const std::map<std::string, std::string, std::less<>> schemes_{{"kartu", "umum-1"}};
  json_reader reader_{16};
  std::string padded_;
  json_body* body_ = nullptr;
};

TEST_F(Plans, HaveEveryRegionByPopulationUnlessWeightsAreGiven) {
  const auto made = plan(R"({"scheme":"kartu","opens_at":"2027-01-15T12:00:00+07:00",
      "closes_at":"2027-01-18T23:59:00+07:00","quota":1000})");
  ASSERT_TRUE(made && body_->ok());
  EXPECT_EQ(made->eligibility(), "umum-1");
  EXPECT_EQ(made->minimum_per_region(), 0u);
  const auto& regions = region_table::standard();
  ASSERT_EQ(static_cast<std::size_t>(made->weights_size()), regions.all().size());
  EXPECT_EQ(made->weights(0).weight(), regions.all().front().population);
}

TEST_F(Plans, GiveNothingToRegionsThatTheWeightsLeaveOut) {
  const auto made = plan(R"({"scheme":"kartu","opens_at":"2027-01-15T12:00:00+07:00",
      "closes_at":"2027-01-18T23:59:00+07:00","quota":10,"minimum_per_region":2,
      "weights":{"3171":5},"groups":[{"name":"disability","share_permille":50}]})");
  ASSERT_TRUE(made && body_->ok());
  std::uint64_t sum = 0;
  for (const auto& one : made->weights()) sum += one.weight();
  EXPECT_EQ(sum, 5u);
  EXPECT_EQ(static_cast<std::size_t>(made->weights_size()), region_table::standard().all().size());
  ASSERT_EQ(made->groups_size(), 1);
  EXPECT_EQ(made->groups(0).share_permille(), 50u);
}

TEST_F(Plans, NameEverythingThatIsMissing) {
  (void)plan("{}");
  EXPECT_THAT(pointers(), ElementsAre("/scheme", "/opens_at", "/closes_at", "/quota"));
}

TEST_F(Plans, NameEverythingThatIsWrong) {
  (void)plan(R"({"scheme":"other","opens_at":"tomorrow","closes_at":"2027-01-18T23:59:00Z",
      "quota":0,"groups":[{"name":"disability","share_permille":1001}]})");
  EXPECT_THAT(pointers(),
              ElementsAre("/scheme", "/opens_at", "/quota", "/groups/0/share_permille"));
}

TEST_F(Plans, SayWhichFormAndWhichBoundsAreWanted) {
  (void)plan(R"({"scheme":"other","opens_at":"yesterday","closes_at":"2027-01-18T23:59:00Z",
      "quota":18446744073709551616,"minimum_per_region":-1,"weights":{"3171":-1,"1101":9e99}})");
  const std::int64_t quota_most = wave::quota_max, weight_most = wave::weight_max;
  EXPECT_THAT(body_->faults().fields,
              ElementsAre(field_error{"/scheme", field_fault::not_allowed, 0, 0, "kartu"},
                          field_error{"/opens_at", field_fault::not_time},
                          field_error{"/quota", field_fault::out_of_range, 1, quota_most},
                          field_error{"/minimum_per_region", field_fault::out_of_range, 0,
                                      wave::minimum_per_region_max},
                          field_error{"/weights/3171", field_fault::out_of_range, 0, weight_most},
                          field_error{"/weights/1101", field_fault::out_of_range, 0, weight_most}));
}

TEST_F(Plans, HaveNoLargerMinimumThanTheirQuotaAndNoEmptyWeights) {
  constexpr std::string_view times =
      R"("scheme":"kartu","opens_at":"2027-01-15T12:00:00Z","closes_at":"2027-01-18T23:59:00Z",)";
  const auto with = [&](std::string_view rest) {
    return "{" + std::string{times} + std::string{rest} + "}";
  };
  EXPECT_TRUE(plan(with(R"("quota":5,"minimum_per_region":5)")));
  EXPECT_TRUE(body_->ok());
  (void)plan(with(R"("quota":5,"minimum_per_region":6)"));
  EXPECT_THAT(body_->faults().fields,
              ElementsAre(field_error{"/minimum_per_region", field_fault::out_of_range, 0, 5}));
  (void)plan(with(R"("quota":5,"weights":{})"));
  EXPECT_THAT(body_->faults().fields,
              ElementsAre(field_error{"/weights", field_fault::too_short, 1, 514}));
  (void)plan(with(R"("quota":5,"weights":{"3171":0,"1101":1})"));
  EXPECT_TRUE(body_->ok()) << "0 says of a region what leaving it out says";
  (void)plan(with(R"("quota":5,"weights":[])"));
  EXPECT_THAT(body_->faults().fields,
              ElementsAre(field_error{"/weights", field_fault::not_object}));
}

TEST_F(Plans, RefuseWeightsOfRegionsThatAreNone) {
  for (const auto* name : {"0000", "9999", "31711", "jakarta"}) {
    const auto made = plan(R"({"weights":{")" + std::string{name} + R"(":1}})");
    ASSERT_FALSE(made) << name;
    EXPECT_EQ(made.error().code, errc::region_unknown);
    EXPECT_EQ(made.error().field, "/weights/" + std::string{name});
  }
}

TEST_F(Plans, CommitToAHashOfThirtyTwoBytes) {
  const std::string hash(64, 'a');
  auto said = [](const std::string& given) {
    return R"({"beacon_source":"drand","beacon_round":5,"operator_secret_hash":")" + given + "\"}";
  };
  const auto command = commitment_in(read(said(hash)));
  EXPECT_TRUE(body_->ok());
  EXPECT_EQ(command.operator_secret_hash, std::string(32, '\xaa'));
  for (const auto& wrong : {hash.substr(2), hash.substr(1), hash + "aa", std::string(64, 'A')}) {
    (void)commitment_in(read(said(wrong)));
    EXPECT_THAT(pointers(), ElementsAre("/operator_secret_hash")) << wrong;
  }
}

TEST_F(Plans, DiscloseBytesInHex) {
  const auto command = disclosure_in(read(R"({"beacon_value":"00ff","operator_secret":"6162"})"));
  EXPECT_TRUE(body_->ok());
  EXPECT_EQ(command.beacon_value, std::string("\x00\xff", 2));
  EXPECT_EQ(command.operator_secret, "ab");
  (void)disclosure_in(read(R"({"beacon_value":"0","operator_secret":"zz"})"));
  EXPECT_THAT(pointers(), ElementsAre("/beacon_value", "/operator_secret"));
}

}  // namespace
}  // namespace gelombang::net
