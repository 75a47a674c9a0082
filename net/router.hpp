#pragma once

#include <array>
#include <boost/beast/http/verb.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "actors/programme/result.hpp"
#include "net/limits.hpp"
#include "net/task.hpp"
#include "net/urgency.hpp"

namespace gelombang::net {

class exchange;
namespace http = boost::beast::http;

/// Who may call a route. The session checks the token before the handler runs.
enum class access : std::uint8_t {
  anyone,     ///< no token is looked at
  signed_in,  ///< any valid token
  applicant,
  operator_,  // NOLINT(readability-identifier-naming): "operator" is a keyword
  partner,
  office,
};

/// What answers a request: a function that answers at once, or a coroutine that may wait. Called on
/// the io thread of the connection, possibly on several threads at once.
class handler {
public:
  using immediate = std::function<void(exchange&)>;
  using waiting = std::function<task<>(exchange&)>;

  template <class Function>
  requires(!std::is_same_v<std::decay_t<Function>, handler>)
      handler(Function function) {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_same_v<std::invoke_result_t<Function&, exchange&>, task<>>) {
      function_ = waiting{std::move(function)};
    } else {
      function_ = immediate{std::move(function)};
    }
  }

  const immediate* as_immediate() const { return std::get_if<immediate>(&function_); }
  const waiting* as_waiting() const { return std::get_if<waiting>(&function_); }

private:
  std::variant<immediate, waiting> function_;
};

/// One line of the routes table.
struct route {
  http::verb method;
  /// "/v1/waves/{n}/join": literal segments and parameters, as in the OpenAPI document.
  std::string path;
  access who;
  /// The document's operationId, also the label of its metrics.
  std::string operation_id;
  handler answer;
  /// 0: the limit of all (`limits::body_bytes_max`).
  std::size_t body_bytes_max = 0;
  /// What is given up first when the node has more to do than it can.
  urgency when_busy = urgency::browsing;
};

/// What a target led to. Parameters are views into the path, or into `decoded` when the path had
/// escapes.
struct route_match {
  const route* found = nullptr;
  std::size_t index = 0;
  std::array<std::string_view, path_parameters_max> parameters{};
  /// Without a route: `not_found`, `method_not_allowed` (then `allowed` lists the methods), or
  /// `request_malformed` for a wrong escape.
  errc failure = errc::not_found;
  std::string_view allowed{};
};

/// Finds the route of a request. Built once, before serving; then const and thread-safe.
class router {
public:
  router();
  ~router();
  router(router&&) noexcept;
  router& operator=(router&&) noexcept;

  /// Adds a line to the table.
  /// @throws std::invalid_argument for an ill-formed pattern, a pair of method and path that is
  /// there already, or more than `path_parameters_max` parameters: faults of the programme, at its
  /// start.
  void add(route line);

  /// HEAD is served by GET's route. `decoded` is memory for unescaped segments and must live as
  /// long as the match.
  route_match match(http::verb method, std::string_view path, std::string& decoded) const;

  /// The table, in the order of adding.
  const std::vector<std::unique_ptr<route>>& routes() const { return routes_; }

private:
  struct node;
  static const node* find_leaf(const node& from, std::string_view path, std::size_t depth,
                               route_match& match);

  std::vector<std::unique_ptr<route>> routes_;
  std::unique_ptr<node> root_;
};

}  // namespace gelombang::net
