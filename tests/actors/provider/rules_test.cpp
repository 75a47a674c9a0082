#include "actors/provider/rules.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace gelombang::provider {
namespace {

using namespace std::chrono_literals;

constexpr instant noon{std::chrono::milliseconds{1'800'000'000'000}};
constexpr provider_id twelve{12};

std::int64_t milliseconds(instant at) {
  return at.time_since_epoch().count();
}

enter entry(std::string name = "Balai Latihan Kerja", std::string website = "https://contoh.id",
            instant now = noon) {
  return {.number = twelve, .name = std::move(name), .website = std::move(website), .now = now};
}

/// Decides and applies. @returns whether there was an event, or the refusal.
template <class Command>
result<bool> tell(state& provider, const Command& command) {
  const auto decided = decide(provider, command);
  if (!decided) return tl::unexpected(decided.error());
  if (!*decided) return false;
  apply(provider, **decided);
  return true;
}

state registered() {
  state provider;
  EXPECT_EQ(tell(provider, entry()), true);
  return provider;
}

state suspended() {
  auto provider = registered();
  EXPECT_EQ(tell(provider, suspend{"izin dicabut", noon + 1h}), true);
  return provider;
}

TEST(ProviderRules, NobodyIsThereBeforeBeingRegistered) {
  state provider;
  const refusal unknown{errc::provider_unknown};
  EXPECT_EQ(tell(provider, suspend{"izin dicabut", noon}).error(), unknown);
  EXPECT_EQ(tell(provider, reinstate{noon}).error(), unknown);
  EXPECT_FALSE(provider.has_card());
}

TEST(ProviderRules, NumbersGoFromOneToTheirLimit) {
  EXPECT_FALSE(is_number({0}));
  EXPECT_TRUE(is_number({1}));
  EXPECT_TRUE(is_number({number_max}));
  EXPECT_FALSE(is_number({number_max + 1}));
  state provider;
  auto command = entry();
  command.number = {number_max + 1};
  EXPECT_EQ(tell(provider, command).error(), (refusal{errc::provider_unknown}));
}

TEST(ProviderRules, RegisteringTellsEverythingAndIsActive) {
  state provider;
  ASSERT_EQ(tell(provider, entry("  Balai Latihan Kerja ", "HTTPS://Contoh.id")), true);
  const auto& card = provider.card();
  EXPECT_EQ(card.number(), 12u);
  EXPECT_EQ(card.name(), "Balai Latihan Kerja");
  EXPECT_EQ(card.website(), "https://contoh.id");
  EXPECT_EQ(card.registered_at(), milliseconds(noon));
  EXPECT_EQ(card.changed_at(), milliseconds(noon));
  EXPECT_FALSE(card.has_suspension());
}

TEST(ProviderRules, TheSameEntryAgainChangesNothing) {
  auto provider = registered();
  const auto before = provider.SerializeAsString();
  EXPECT_EQ(tell(provider, entry("Balai Latihan Kerja", "https://contoh.id", noon + 1h)), false);
  EXPECT_EQ(tell(provider, entry(" Balai Latihan Kerja", "https://CONTOH.id", noon + 1h)), false);
  EXPECT_EQ(provider.SerializeAsString(), before);
}

TEST(ProviderRules, AnotherEntryReplacesTheWholeOfIt) {
  auto provider = registered();
  EXPECT_EQ(tell(provider, entry("Balai Baru", "", noon + 1h)), true);
  EXPECT_EQ(provider.card().name(), "Balai Baru");
  EXPECT_EQ(provider.card().website(), "");
  EXPECT_EQ(provider.card().number(), 12u);
  EXPECT_EQ(provider.card().registered_at(), milliseconds(noon));
  EXPECT_EQ(provider.card().changed_at(), milliseconds(noon + 1h));
}

TEST(ProviderRules, WhatIsNoNameAndNoAddressIsNamed) {
  for (auto provider : {state{}, registered()}) {
    const auto before = provider.SerializeAsString();
    EXPECT_EQ(tell(provider, entry("ab")).error(), (refusal{errc::provider_name_invalid, "/name"}));
    EXPECT_EQ(tell(provider, entry("Balai", "http://contoh.id")).error(),
              (refusal{errc::website_invalid, "/website"}));
    EXPECT_EQ(provider.SerializeAsString(), before);
  }
}

TEST(ProviderRules, ASuspensionHasItsReasonAndItsHour) {
  auto provider = registered();
  EXPECT_EQ(tell(provider, suspend{" ", noon}).error(), (refusal{errc::reason_invalid, "/reason"}));
  EXPECT_FALSE(provider.card().has_suspension());
  ASSERT_EQ(tell(provider, suspend{" izin dicabut ", noon + 1h}), true);
  EXPECT_EQ(provider.card().suspension().reason(), "izin dicabut");
  EXPECT_EQ(provider.card().suspension().since(), milliseconds(noon + 1h));
  EXPECT_EQ(provider.card().changed_at(), milliseconds(noon + 1h));
}

TEST(ProviderRules, SuspendedAgainItGetsTheNewReasonAndKeepsItsHour) {
  auto provider = suspended();
  EXPECT_EQ(tell(provider, suspend{"izin dicabut", noon + 2h}), false);
  EXPECT_EQ(provider.card().changed_at(), milliseconds(noon + 1h));
  EXPECT_EQ(tell(provider, suspend{"izin habis", noon + 2h}), true);
  EXPECT_EQ(provider.card().suspension().reason(), "izin habis");
  EXPECT_EQ(provider.card().suspension().since(), milliseconds(noon + 1h));
  EXPECT_EQ(provider.card().changed_at(), milliseconds(noon + 2h));
}

TEST(ProviderRules, AnotherEntryEndsNoSuspension) {
  auto provider = suspended();
  EXPECT_EQ(tell(provider, entry("Balai Baru", "", noon + 2h)), true);
  EXPECT_EQ(provider.card().suspension().reason(), "izin dicabut");
}

TEST(ProviderRules, ReinstatedItIsActive) {
  auto provider = suspended();
  EXPECT_EQ(tell(provider, reinstate{noon + 2h}), true);
  EXPECT_FALSE(provider.card().has_suspension());
  EXPECT_EQ(provider.card().changed_at(), milliseconds(noon + 2h));
  EXPECT_EQ(tell(provider, reinstate{noon + 3h}), false);
  EXPECT_EQ(provider.card().changed_at(), milliseconds(noon + 2h));
  // A later suspension begins when it begins.
  EXPECT_EQ(tell(provider, suspend{"lagi", noon + 4h}), true);
  EXPECT_EQ(provider.card().suspension().since(), milliseconds(noon + 4h));
}

// ---- orders with a key

TEST(ProviderRules, ARepeatedOrderFindsItsAnswerWhateverHasHappenedSince) {
  auto provider = registered();
  const request_key first{1, 10}, second{2, 20};
  ASSERT_EQ(find_repeat(provider, first), std::nullopt);
  ASSERT_EQ(tell(provider, suspend{"izin dicabut", noon + 1h, first}), true);
  const auto then = provider.card().SerializeAsString();
  ASSERT_EQ(tell(provider, reinstate{noon + 2h, second}), true);
  ASSERT_EQ(tell(provider, entry("Balai Baru", "", noon + 3h)), true);

  const auto repeat = find_repeat(provider, first);
  ASSERT_TRUE(repeat && *repeat);
  EXPECT_EQ((*repeat)->SerializeAsString(), then);
  EXPECT_EQ(find_repeat(provider, std::nullopt), std::nullopt);
  const auto other = find_repeat(provider, request_key{1, 11});
  ASSERT_TRUE(other && !*other);
  EXPECT_EQ(other->error().code, errc::idempotency_conflict);
}

TEST(ProviderRules, AnOrderThatFoundWhatItWantedIsRememberedIfItHasAKey) {
  auto provider = registered();
  const request_key key{1, 10};
  const auto before = provider.card().SerializeAsString();
  EXPECT_EQ(tell(provider, reinstate{noon + 1h, key}), true);
  EXPECT_EQ(provider.card().SerializeAsString(), before);
  ASSERT_TRUE(find_repeat(provider, key));
  // Suspended meanwhile, the late repeat would have reinstated it.
  ASSERT_EQ(tell(provider, suspend{"izin dicabut", noon + 2h}), true);
  EXPECT_EQ((**find_repeat(provider, key)).SerializeAsString(), before);
}

TEST(ProviderRules, RemembersTheNewestOrders) {
  auto provider = registered();
  constexpr int told = orders_max + 3;
  for (std::uint64_t i = 1; i <= told; ++i)
    ASSERT_EQ(tell(provider, suspend{std::to_string(i), noon, request_key{i, i}}), true);
  EXPECT_EQ(provider.orders_size(), orders_max);
  for (std::uint64_t i = 1; i <= told; ++i)
    EXPECT_EQ(find_repeat(provider, request_key{i, i}).has_value(), i > told - orders_max) << i;
}

// ---- events

TEST(ProviderRules, EventsAloneLeadToTheSameProvider) {
  std::mt19937_64 chance{5};
  state lived, replayed;
  for (int i = 0; i < 2000; ++i) {
    const auto now = noon + std::chrono::seconds{i};
    std::optional<request_key> request;
    if (chance() % 2 == 0) request = request_key{chance(), chance()};
    auto decided = [&]() -> result<std::optional<event>> {
      switch (chance() % 4) {
        case 0:
          return decide(lived, suspend{"alasan " + std::to_string(chance() % 3), now, request});
        case 1:
          return decide(lived, reinstate{now, request});
        case 2:
          return decide(lived, entry("Balai " + std::to_string(chance() % 3), "", now));
        default:
          return decide(lived, entry("x"));
      }
    }();
    if (!decided || !*decided) continue;
    event stored;
    ASSERT_TRUE(stored.ParseFromString((*decided)->SerializeAsString()));
    apply(lived, **decided);
    apply(replayed, stored);
    ASSERT_EQ(replayed.SerializeAsString(), lived.SerializeAsString());
    ASSERT_LE(lived.orders_size(), orders_max);
  }
  EXPECT_TRUE(lived.has_card());
}

TEST(ProviderRules, AnEventThatIsNotUnderstoodMakesNoProvider) {
  state provider;
  apply(provider, event{});
  EXPECT_FALSE(provider.has_card());
}

}  // namespace
}  // namespace gelombang::provider
