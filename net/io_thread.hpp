#pragma once

#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "net/admission.hpp"
#include "net/json_reader.hpp"
#include "net/server.hpp"
#include "net/session.hpp"

namespace gelombang::net {

/// What one thread of the front door owns: its event loop, its listening sockets (all threads share
/// the ports through SO_REUSEPORT), its connections, and the memory that its requests use again.
/// All but the constructor and `context` is for that thread only.
class io_thread {
public:
  io_thread(server& owner, std::size_t index);
  ~io_thread();
  io_thread(const io_thread&) = delete;
  io_thread& operator=(const io_thread&) = delete;

  asio::io_context& context() { return context_; }
  std::size_t index() const { return index_; }
  const limits& bounds() const { return owner_.options_.bounds; }
  const access_tokens* tokens() const { return owner_.options_.tokens; }
  const router& routes() const;
  instant now() const;
  json_reader& json() { return json_; }
  thread_metrics& metrics() { return *metrics_; }

  /// "Date: …\r\n", at most a sweep old.
  std::string_view date_header() const { return {date_.data(), date_bytes_}; }
  /// Steady milliseconds as of the last sweep, so that setting a deadline costs no look at a clock.
  std::int64_t coarse_now_ms() const { return coarse_now_ms_; }
  std::uint64_t dice();

  bool is_draining() const;
  /// Takes one of this thread's places for waiting requests; false: all are taken. The house has
  /// one always.
  bool take_place(urgency what);
  void give_place_back();

  // What the sessions tell and ask of the overload control.
  admission& door() { return door_; }
  waiting_room* room() const { return owner_.options_.room; }
  caller_limits* callers() const { return owner_.options_.callers; }
  /// How long a request has waited in the kernel, as of now; `came_on` as in `admission`.
  void waited(admission::came_on what, std::chrono::milliseconds wait);

  std::unique_ptr<workspace> take_workspace();
  void give_back(std::unique_ptr<workspace> used);

  // For the server and the sessions.
  tl::expected<void, std::string> listen(lane which, const asio::ip::tcp::endpoint& endpoint);
  std::uint16_t port(lane which) const;
  void run(thread_metrics& metrics);
  void drain();
  void end_now();
  void drop_sessions();
  void closed(session& one, lane to, const peer_address& peer);

private:
  using executor = asio::io_context::executor_type;
  using timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                           asio::wait_traits<std::chrono::steady_clock>, executor>;

  using acceptor = asio::basic_socket_acceptor<asio::ip::tcp, executor>;

  /// A port and whom it is for.
  struct entrance {
    entrance(asio::io_context& context, lane which) : socket(context.get_executor()), to(which) {}

    acceptor socket;
    lane to;
    int backlog = asio::socket_base::max_listen_connections;
    /// Not being waited on, for want of descriptors or memory.
    bool is_stuck = false;
  };

  void accept_later(entrance& at);
  void accept_some(entrance& at);
  void note_stuck(int why);
  void accepted(const accepted_connection& came);
  void keep_backlog();
  void tell_load(std::chrono::steady_clock::time_point at);
  void sweep();
  void sweep_later();
  void write_date();
  std::chrono::system_clock::time_point now_for_date() const;

  server& owner_;
  std::size_t index_;
  asio::io_context context_;
  asio::executor_work_guard<executor> guard_;
  entrance public_, house_;
  admission door_;
  timer sweep_timer_;
  json_reader json_;
  thread_metrics* metrics_ = nullptr;
  std::vector<std::unique_ptr<workspace>> spare_;
  boost::intrusive::list<session> sessions_;
  std::size_t places_taken_ = 0;
  std::int64_t coarse_now_ms_ = 0;
  std::uint64_t dice_;
  std::array<char, 48> date_{};
  std::size_t date_bytes_ = 0;
  bool was_draining_ = false;
};

}  // namespace gelombang::net
