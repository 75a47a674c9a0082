#include "net/router.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "net/target.hpp"

namespace gelombang::net {
namespace {

constexpr std::size_t no_route = std::numeric_limits<std::size_t>::max();
constexpr std::array served_methods = {http::verb::get, http::verb::post, http::verb::put,
                                       http::verb::patch, http::verb::delete_};

std::size_t slot_of(http::verb method) {
  auto as_get = method == http::verb::head ? http::verb::get : method;
  auto at = std::find(served_methods.begin(), served_methods.end(), as_get);
  return static_cast<std::size_t>(at - served_methods.begin());
}

std::string_view next_segment(std::string_view& rest) {
  rest.remove_prefix(1);
  auto segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(segment.size());
  return segment;
}

bool is_parameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

struct router::node {
  std::vector<std::pair<std::string, std::unique_ptr<node>>> literals;
  std::unique_ptr<node> parameter;
  std::array<std::size_t, served_methods.size()> routes;
  std::string allowed;

  node() { routes.fill(no_route); }

  node* literal(std::string_view segment) const {
    for (auto& [name, child] : literals) {
      if (name == segment) return child.get();
    }
    return nullptr;
  }
  node& child_for(std::string_view segment) {
    if (is_parameter(segment)) {
      if (!parameter) parameter = std::make_unique<node>();
      return *parameter;
    }
    if (auto* there = literal(segment)) return *there;
    return *literals.emplace_back(std::string(segment), std::make_unique<node>()).second;
  }
  void list_allowed() {
    allowed.clear();
    for (std::size_t slot = 0; slot < routes.size(); ++slot) {
      if (routes[slot] == no_route) continue;
      auto name = http::to_string(served_methods[slot]);
      allowed += std::string(name.data(), name.size()) + ", ";
      if (served_methods[slot] == http::verb::get) allowed += "HEAD, ";
    }
    allowed += "OPTIONS";
  }
};

router::router() : root_(std::make_unique<node>()) {}
router::~router() = default;
router::router(router&&) noexcept = default;
router& router::operator=(router&&) noexcept = default;

void router::add(route line) {
  auto slot = slot_of(line.method);
  if (slot == served_methods.size()) throw std::invalid_argument("method of " + line.path);
  if (line.path.empty() || line.path[0] != '/') throw std::invalid_argument("path " + line.path);
  auto* at = root_.get();
  std::size_t parameters = 0;
  for (std::string_view rest = line.path; !rest.empty();) {
    auto segment = next_segment(rest);
    parameters += is_parameter(segment) ? 1 : 0;
    at = &at->child_for(segment);
  }
  if (parameters > path_parameters_max) throw std::invalid_argument("parameters of " + line.path);
  if (at->routes[slot] != no_route) throw std::invalid_argument("second route for " + line.path);
  at->routes[slot] = routes_.size();
  at->list_allowed();
  routes_.push_back(std::make_unique<route>(std::move(line)));
}

const router::node* router::find_leaf(const node& from, std::string_view path, std::size_t depth,
                                      route_match& match) {
  if (path.empty()) return from.allowed.empty() ? nullptr : &from;
  auto segment = next_segment(path);
  if (auto* literal = from.literal(segment)) {
    if (auto* leaf = find_leaf(*literal, path, depth, match)) return leaf;
  }
  // "/waves/current/join" leads here although "current" is a literal elsewhere.
  auto climbs = segment == "." || segment == "..";
  if (!from.parameter || segment.empty() || climbs) return nullptr;
  match.parameters[depth] = segment;
  return find_leaf(*from.parameter, path, depth + 1, match);
}

route_match router::match(http::verb method, std::string_view path, std::string& decoded) const {
  route_match match;
  if (path.find('%') != std::string_view::npos) {
    // An escaped slash would make a parameter look like two segments: there is no use for it here.
    auto text = percent_decoded(path);
    auto slashes = [](std::string_view in) { return std::count(in.begin(), in.end(), '/'); };
    if (!text || slashes(*text) != slashes(path)) {
      match.failure = errc::request_malformed;
      return match;
    }
    decoded = std::move(*text);
    path = decoded;
  }
  auto* leaf = find_leaf(*root_, path, 0, match);
  if (leaf == nullptr) return match;
  match.allowed = leaf->allowed;
  auto slot = slot_of(method);
  if (slot == served_methods.size() || leaf->routes[slot] == no_route) {
    match.failure = errc::method_not_allowed;
    return match;
  }
  match.index = leaf->routes[slot];
  match.found = routes_[match.index].get();
  match.failure = errc::ok;
  return match;
}

}  // namespace gelombang::net
