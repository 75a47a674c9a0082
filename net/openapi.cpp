#include "net/openapi.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <utility>

#include "actors/programme/hex.hpp"
#include "actors/programme/sha256.hpp"
#include "net/openapi_pieces.hpp"
#include "net/tokens.hpp"

namespace gelombang::net {
namespace {

/// What both sides say of one operation, by "METHOD path".
struct operation {
  std::string id;
  std::string security;  ///< the role that the token must have, or one of the two below
};
using operations = std::map<std::string, operation>;

constexpr std::string_view no_token = "no token";
constexpr std::string_view any_token = "any token";

std::string security_of(access who) {
  switch (who) {
    case access::anyone:
      return std::string(no_token);
    case access::signed_in:
      return std::string(any_token);
    case access::applicant:
      return std::string(name_of(role::applicant));
    case access::operator_:
      return std::string(name_of(role::operator_));
    case access::partner:
      return std::string(name_of(role::partner));
    case access::office:
      return std::string(name_of(role::office));
  }
  return {};
}

std::string security_of(const boost::json::array& requirements) {
  if (requirements.empty()) return std::string(no_token);
  auto& roles = requirements[0].at("bearer").as_array();
  return roles.empty() ? std::string(any_token) : std::string(roles[0].as_string());
}

std::string upper(std::string_view text) {
  std::string out{text};
  for (auto& letter : out) letter = static_cast<char>(letter & ~0x20);
  return out;
}

operations in_table(const router& routes) {
  operations all;
  for (auto& line : routes.routes()) {
    auto method = http::to_string(line->method);
    auto key = std::string(method.data(), method.size()) + " " + line->path;
    all[key] = {line->operation_id, security_of(line->who)};
  }
  return all;
}

operations in_document(std::string_view document) {
  operations all;
  auto parsed = boost::json::parse({document.data(), document.size()});
  for (auto& [path, methods] : parsed.at("paths").as_object()) {
    for (auto& [method, said] : methods.as_object()) {
      auto key = upper({method.data(), method.size()}) + " " + std::string(path);
      all[key] = {std::string(said.at("operationId").as_string()),
                  security_of(said.at("security").as_array())};
    }
  }
  return all;
}

}  // namespace

std::string_view openapi_document() {
  static const std::string document = [] {
    std::string whole;
    for (auto piece : openapi_pieces) whole += piece;
    return whole;
  }();
  return document;
}

std::string_view openapi_etag() {
  constexpr std::size_t hash_bytes = 8;
  static const std::string tag = [] {
    auto hash = sha256(openapi_document());
    return '"' + to_hex(std::span(hash).first(hash_bytes)) + '"';
  }();
  return tag;
}

std::vector<std::string> openapi_differences(const router& routes) {
  return openapi_differences(routes, openapi_document());
}

std::vector<std::string> openapi_differences(const router& routes, std::string_view document) {
  auto table = in_table(routes);
  auto described = in_document(document);
  std::vector<std::string> differences;
  for (auto& [key, served] : table) {
    auto at = described.find(key);
    if (at == described.end()) {
      differences.push_back(key + " is served but not described");
      continue;
    }
    auto& told = at->second;
    if (told.id != served.id) {
      differences.push_back(key + " is " + served.id + " here and " + told.id + " there");
    }
    if (told.security != served.security) {
      differences.push_back(key + " wants " + served.security + " here and " + told.security +
                            " there");
    }
  }
  for (auto& [key, told] : described) {
    if (!table.contains(key)) differences.push_back(key + " is described but not served");
  }
  return differences;
}

}  // namespace gelombang::net
