#pragma once

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "actors/programme/format.hpp"
#include "actors/programme/hex.hpp"
#include "actors/wave/draw/draw.hpp"

/// The published draw once more, read off the contract word by word: slow, on texts, with OpenSSL's
/// high-level calls, sharing nothing with the code under test but the types of its input.
namespace gelombang::reference {

inline std::string sha256(const std::string& message) {
  std::string out(32, '\0');
  unsigned size = 0;
  EVP_Digest(message.data(), message.size(), reinterpret_cast<unsigned char*>(out.data()), &size,
             EVP_sha256(), nullptr);
  return out;
}

inline std::string hmac(const std::string& key, const std::string& message) {
  std::string out(32, '\0');
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(message.data()), message.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

inline std::string hex(const std::string& bytes) {
  std::string text;
  for (unsigned char byte : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

struct entry {
  std::string id;  ///< raw
  std::string region, family;
  std::uint32_t groups = 0;
  int family_room = 0;
  std::string ticket, outcome, order;

  std::string committed() const {
    return hex(id) + "," + region + "," + std::to_string(groups) + "," + family + "," +
           std::to_string(family_room);
  }
};

/// RFC 6962 section 2.1, as it stands there.
inline std::string merkle_tree_hash(const std::vector<std::string>& leaves) {
  if (leaves.empty()) return sha256("");
  if (leaves.size() == 1) return sha256(std::string(1, '\0') + leaves[0]);
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  std::vector<std::string> left(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(k));
  std::vector<std::string> right(leaves.begin() + static_cast<std::ptrdiff_t>(k), leaves.end());
  return sha256(std::string(1, '\1') + merkle_tree_hash(left) + merkle_tree_hash(right));
}

/// RFC 6962 section 2.1.1, as it stands there.
inline std::vector<std::string> path(std::size_t m, const std::vector<std::string>& leaves) {
  if (leaves.size() <= 1) return {};
  std::size_t k = 1;
  while (2 * k < leaves.size()) k *= 2;
  std::vector<std::string> left(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(k));
  std::vector<std::string> right(leaves.begin() + static_cast<std::ptrdiff_t>(k), leaves.end());
  auto proof = m < k ? path(m, left) : path(m - k, right);
  proof.push_back(merkle_tree_hash(m < k ? right : left));
  return proof;
}

struct region {
  std::string code;
  std::uint64_t weight = 0;
  std::uint32_t applicants = 0, usable = 0, seats = 0, accepted = 0;
  std::string cutoff = "null";
};

struct drawn {
  std::string root, seed;
  std::vector<region> regions;
  std::vector<entry> entries;
};

inline void spread(std::vector<region>& regions, std::uint32_t quota, std::uint32_t minimum) {
  auto order = regions;
  std::stable_sort(order.begin(), order.end(),
                   [](const region& a, const region& b) { return a.weight > b.weight; });
  auto by_code = [&](const std::string& code) -> region& {
    return *std::find_if(regions.begin(), regions.end(),
                         [&](const region& one) { return one.code == code; });
  };
  for (const auto& one : order) {
    auto given = std::min({minimum, one.usable, quota});
    by_code(one.code).seats = given;
    quota -= given;
  }
  while (quota > 0) {
    region* best = nullptr;
    for (auto& one : regions) {
      if (one.seats >= one.usable) continue;
      __extension__ using wide = unsigned __int128;
      if (!best ||
          wide{one.weight} * (2 * best->seats + 1) > wide{best->weight} * (2 * one.seats + 1)) {
        best = &one;
      }
    }
    if (!best) return;
    ++best->seats;
    --quota;
  }
}

inline void walk(region& where, std::vector<entry*> entries,
                 const std::vector<gelombang::draw::group>& groups) {
  std::sort(entries.begin(), entries.end(),
            [](const entry* a, const entry* b) { return a->ticket < b->ticket; });
  std::map<std::string, int> room;
  for (auto* one : entries) room[one->family] = one->family_room;
  auto try_accept = [&](entry& one) {
    if (one.outcome == "accepted" || room[one.family] == 0) return false;
    --room[one.family];
    one.outcome = "accepted";
    ++where.accepted;
    return true;
  };
  for (const auto& favoured : groups) {
    auto reserved = where.seats * favoured.share_permille / 1000;
    std::uint32_t taken = 0;
    for (auto* one : entries) {
      if (taken == reserved) break;
      if (one->groups >> favoured.bit & 1) taken += try_accept(*one);
    }
  }
  for (auto* one : entries) {
    if (where.accepted == where.seats) break;
    if (try_accept(*one)) where.cutoff = '"' + hex(one->ticket) + '"';
  }
  int order = 0;
  for (auto* one : entries) {
    if (one->outcome == "accepted") continue;
    one->outcome = room[one->family] == 0 ? "family_full" : "reserve";
    if (one->outcome == "reserve") one->order = std::to_string(++order);
  }
}

inline drawn draw(const std::vector<gelombang::draw::roster_entry>& roster,
                  const gelombang::draw::parameters& given, const std::string& beacon,
                  const std::string& secret) {
  drawn result;
  for (const auto& one : roster) {
    char family[17];
    std::snprintf(family, sizeof family, "%016llx", static_cast<unsigned long long>(one.family));
    entry made;
    made.id = std::string(one.id.begin(), one.id.end());
    made.region = std::to_string(one.region.value);
    made.family = family;
    made.groups = one.groups;
    made.family_room = one.family_room;
    result.entries.push_back(made);
  }
  std::sort(result.entries.begin(), result.entries.end(),
            [](const entry& a, const entry& b) { return hex(a.id) < hex(b.id); });
  std::vector<std::string> leaves;
  for (const auto& one : result.entries) leaves.push_back(one.committed());
  auto root = merkle_tree_hash(leaves);
  auto seed = sha256("gelombang/draw/1" + root + beacon + secret);
  result.root = hex(root);
  result.seed = hex(seed);
  for (auto& one : result.entries) one.ticket = hmac(seed, one.id);
  for (const auto& [code, weight] : given.weights) {
    region made;
    made.code = std::to_string(code.value);
    made.weight = weight;
    std::map<std::string, std::uint32_t> members, room;
    for (const auto& one : result.entries) {
      if (one.region != made.code) continue;
      ++made.applicants;
      ++members[one.family];
      room[one.family] = static_cast<std::uint32_t>(one.family_room);
    }
    for (const auto& [family, count] : members) made.usable += std::min(count, room[family]);
    result.regions.push_back(made);
  }
  spread(result.regions, given.quota, given.minimum_per_region);
  for (auto& where : result.regions) {
    std::vector<entry*> own;
    for (auto& one : result.entries) {
      if (one.region == where.code) own.push_back(&one);
    }
    walk(where, own, given.groups);
  }
  return result;
}

/// The entries file of a draw.
inline std::string csv(const drawn& from) {
  std::string text = "entry_id,region,groups,family,family_room,ticket,outcome,order\n";
  for (const auto& one : from.entries) {
    text += one.committed() + "," + hex(one.ticket) + "," + one.outcome + "," + one.order + "\n";
  }
  return text;
}

/// The regions' part of the summary.
inline std::string regions_json(const drawn& from) {
  std::string text = "\"regions\":[";
  for (const auto& one : from.regions) {
    if (text.back() != '[') text += ',';
    text += "{\"region\":\"" + one.code + "\",\"weight\":" + std::to_string(one.weight) +
            ",\"applicants\":" + std::to_string(one.applicants) +
            ",\"usable\":" + std::to_string(one.usable) +
            ",\"seats\":" + std::to_string(one.seats) +
            ",\"accepted\":" + std::to_string(one.accepted) + ",\"cutoff\":" + one.cutoff + "}";
  }
  return text + "]}";
}

}  // namespace gelombang::reference

namespace gelombang::draw::testing {

/// A small draw of any shape: few regions, large families, ids that differ in few bits.
struct sample {
  std::vector<roster_entry> roster;
  parameters given;
  std::string beacon = "heads, heads, tails";
  std::string secret = "a secret of the operator";
};

inline sample make_sample(std::uint64_t seed, std::size_t entries) {
  std::mt19937_64 random{seed};
  auto below = [&](std::uint64_t limit) { return random() % limit; };
  sample made;
  auto regions = 1 + below(7);
  for (std::uint64_t i = 0; i < regions; ++i) {
    auto weight = below(4) == 0 ? below(4) : below(1'000'000);
    made.given.weights.push_back({region_code{static_cast<std::uint16_t>(1101 + 70 * i)}, weight});
  }
  struct family {
    std::uint64_t name;
    region_code region;
    std::uint8_t room;
  };
  std::vector<family> families;
  for (std::size_t i = 0; i < 1 + entries / 2; ++i) {
    auto name = below(2) == 0 ? random() : i;
    families.push_back(
        {name, made.given.weights[below(regions)].region, static_cast<std::uint8_t>(1 + below(2))});
  }
  auto tight = below(2) == 0;
  for (std::size_t i = 0; i < entries; ++i) {
    const auto& of = families[below(families.size())];
    roster_entry one;
    for (auto& byte : one.id) byte = tight ? 0 : static_cast<std::uint8_t>(random());
    one.id[15] = static_cast<std::uint8_t>(i);
    one.id[14] = static_cast<std::uint8_t>(i >> 8);
    one.family = of.name;
    one.region = of.region;
    one.family_room = of.room;
    one.groups = static_cast<std::uint32_t>(below(8));
    made.roster.push_back(one);
  }
  // Two families can share a small name; then the first one's region and room count.
  std::map<std::uint64_t, roster_entry> first;
  for (auto& one : made.roster) {
    auto [found, fresh] = first.try_emplace(one.family, one);
    one.region = found->second.region;
    one.family_room = found->second.family_room;
  }
  std::shuffle(made.roster.begin(), made.roster.end(), random);
  made.given.wave = wave_number{static_cast<std::uint32_t>(1 + below(100))};
  made.given.quota = static_cast<std::uint32_t>(below(entries + 10));
  made.given.minimum_per_region = static_cast<std::uint32_t>(below(4));
  made.given.beacon_source = "dice \"thrown\" in public";
  made.given.beacon_round = below(1000);
  auto hash = reference::sha256(made.secret);
  std::copy(hash.begin(), hash.end(), made.given.operator_secret_hash.begin());
  const char* names[] = {"listed", "disability", "returned_migrant"};
  const auto groups = static_cast<std::uint8_t>(below(4));
  for (std::uint8_t bit = 0; bit < groups; ++bit) {
    made.given.groups.push_back({names[bit], bit, static_cast<std::uint16_t>(below(334))});
  }
  std::shuffle(made.given.groups.begin(), made.given.groups.end(), random);
  return made;
}

/// A directory of the test's own, removed with it; in memory where that can be had, because these
/// tests sync thousands of small files.
class temporary_directory {
public:
  temporary_directory() {
    std::error_code none;
    auto memory = std::filesystem::is_directory("/dev/shm", none);
    auto above =
        memory ? std::filesystem::path{"/dev/shm"} : std::filesystem::temp_directory_path();
    std::string name = (above / "draw-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;
  ~temporary_directory() { std::filesystem::remove_all(path_); }

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::filesystem::path& path) {
  auto file = mapped_file::open(path);
  return file ? std::string(file->bytes()) : "unreadable: " + path.string();
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  file_replacement file{path};
  file.append(text);
  if (!file.finish()) throw std::runtime_error(path.string());
}

}  // namespace gelombang::draw::testing
