// Connections that cost a server without giving it work: idle ones, and ones of a byte a second.
//   crowd --port P --idle N --slow N --idle-seconds S --header-seconds S --body-seconds S
//         [--late-seconds S]
// Prints "crowded" when all are connected, keeps so many open until SIGINT or SIGTERM, then reports
// a line a kind. Exits 1 when any of them was treated otherwise than the limits given say:
//   idle     says nothing: ended without a word after --idle-seconds
//   header   its request comes a byte a second: 408 after --header-seconds
//   body     its headers come at once, its body a byte a second: 408 after --body-seconds
//   patient  the last bytes of its request come a byte a second, and in time: 200, again and again
// A third of the slow ones is of each kind. A limit may act up to --late-seconds (4) late.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;

enum class kind : std::uint8_t { idle, header, body, patient };
constexpr std::array<const char*, 4> kind_names{"idle", "header", "body", "patient"};
constexpr std::size_t connecting_max = 256;

constexpr std::string_view slow_request =
    "GET /v1/waves/current HTTP/1.1\r\nHost: crowd\r\nAccept-Language: id\r\n\r\n";
constexpr std::string_view slow_body_head =
    "POST /v1/sessions HTTP/1.1\r\nHost: crowd\r\nContent-Type: application/json\r\n"
    "Content-Length: 200\r\n\r\n";
constexpr std::string_view patient_request = "GET /healthz HTTP/1.1\r\nHost: crowd\r\n\r\n";
constexpr std::size_t patient_bytes = 5;

struct options {
  std::uint64_t port = 0, idle = 0, slow = 0;
  std::uint64_t idle_seconds = 0, header_seconds = 0, body_seconds = 0, late_seconds = 4;

  std::uint64_t limit_of(kind what) const {
    if (what == kind::idle) return idle_seconds;
    return what == kind::body ? body_seconds : header_seconds;
  }
};

struct connection {
  kind what = kind::idle;
  int socket = -1;
  bool is_connected = false;
  bool has_begun = false;  ///< since when its limit counts
  clock_type::time_point since = {};
  std::size_t sent = 0;
  std::string got = {};
};

struct tally {
  std::uint64_t opened = 0, answered = 0, ended = 0, wrong = 0;
  double least = 1e9, most = 0;  ///< seconds until the end
  std::string first_wrong;
};

volatile std::sig_atomic_t must_end = 0;

class crowd {
public:
  explicit crowd(const options& with) : with_(with), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    all_.resize(with.idle + with.slow);
    for (std::size_t i = 0; i < all_.size(); ++i) {
      constexpr std::array<kind, 3> slow_kinds{kind::header, kind::body, kind::patient};
      all_[i].what = i < with.idle ? kind::idle : slow_kinds[i % slow_kinds.size()];
      to_open_.push_back(i);
    }
  }

  void run() {
    started_ = clock_type::now();
    while (!must_end) {
      open_some();
      take_events();
      send_what_is_due();
      if (is_announced_ || open_ < all_.size()) continue;
      is_announced_ = true;
      std::puts("crowded");
      std::fflush(stdout);
    }
  }

  /// @returns whether everybody was treated as the limits say.
  bool report() {
    const auto now = clock_type::now();
    for (const auto& one : all_)
      if (one.is_connected && one.has_begun && one.what != kind::patient &&
          age(one, now) > latest(one.what))
        wrong(one, "is open still");
    bool is_right = is_announced_;
    if (!is_announced_)
      std::printf("not all were ever connected: %zu of %zu\n", open_, all_.size());
    for (std::size_t i = 0; i < tallies_.size(); ++i) {
      const auto& of = tallies_[i];
      std::printf("%-8s opened %llu answered %llu ended %llu", kind_names[i], ull(of.opened),
                  ull(of.answered), ull(of.ended));
      if (of.ended > 0) std::printf(" after %.1f to %.1f s", of.least, of.most);
      if (of.wrong > 0) std::printf(" WRONG %llu: %s", ull(of.wrong), of.first_wrong.c_str());
      std::printf("\n");
      is_right = is_right && of.wrong == 0;
    }
    return is_right;
  }

private:
  static unsigned long long ull(std::uint64_t number) { return number; }
  tally& tally_of(const connection& one) { return tallies_[static_cast<std::size_t>(one.what)]; }
  double latest(kind what) const {
    return static_cast<double>(with_.limit_of(what) + with_.late_seconds);
  }
  static double age(const connection& one, clock_type::time_point now) {
    return seconds(now - one.since).count();
  }

  void wrong(const connection& one, std::string why) {
    auto& of = tally_of(one);
    if (of.wrong++ == 0) of.first_wrong = std::move(why);
  }

  void open_some() {
    while (connecting_ < connecting_max && !to_open_.empty()) {
      const auto index = to_open_.front();
      auto& one = all_[index];
      to_open_.pop_front();
      one = {.what = one.what};
      one.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = htons(static_cast<std::uint16_t>(with_.port));
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const auto done = ::connect(one.socket, reinterpret_cast<sockaddr*>(&to), sizeof to);
      if (one.socket < 0 || (done != 0 && errno != EINPROGRESS)) {
        wrong(one, std::string{"can't connect: "} + std::strerror(errno));
        must_end = 1;
        return;
      }
      const int at_once = 1;
      ::setsockopt(one.socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
      epoll_event wanted{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = index}};
      ::epoll_ctl(poll_, EPOLL_CTL_ADD, one.socket, &wanted);
      ++connecting_;
    }
  }

  void take_events() {
    std::array<epoll_event, 512> events;
    const auto count = ::epoll_wait(poll_, events.data(), events.size(), 5);
    for (int i = 0; i < count; ++i) {
      auto& one = all_[events[i].data.u64];
      if (!one.is_connected) connected(one);
      if (one.is_connected && (events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
        if (!read(one)) close(one, events[i].data.u64);
      }
    }
  }

  void connected(connection& one) {
    one.is_connected = true;
    --connecting_;
    ++open_;
    ++tally_of(one).opened;
    if (one.what == kind::idle) begin(one);
  }

  static void begin(connection& one) {
    one.has_begun = true;
    one.since = clock_type::now();
  }

  /// @returns false at the end of the connection.
  bool read(connection& one) {
    for (;;) {
      std::array<char, 4096> some;
      const auto got = ::recv(one.socket, some.data(), some.size(), 0);
      if (got < 0 && errno == EAGAIN) break;
      if (got <= 0) return false;
      one.got.append(some.data(), static_cast<std::size_t>(got));
    }
    if (one.what != kind::patient || one.got.find("\r\n\r\n") == std::string::npos) return true;
    if (one.got.starts_with("HTTP/1.1 200 ")) {
      ++tally_of(one).answered;
    } else {
      wrong(one, "was answered " + one.got.substr(0, 60));
    }
    one.got.clear();
    one.sent = 0;
    return true;
  }

  void close(connection& one, std::size_t index) {
    ended(one);
    ::close(one.socket);
    one.is_connected = false;
    --open_;
    to_open_.push_back(index);
  }

  void ended(const connection& one) {
    auto& of = tally_of(one);
    const auto after = age(one, clock_type::now());
    const std::string_view wanted = one.what == kind::idle ? "" : "HTTP/1.1 408 ";
    const bool is_answer = one.what == kind::idle ? one.got.empty() : one.got.starts_with(wanted);
    if (one.what == kind::patient || !one.has_begun || !is_answer)
      return wrong(one, "was ended with \"" + one.got.substr(0, one.got.find('\r')) + "\"");
    ++of.ended;
    of.least = std::min(of.least, after);
    of.most = std::max(of.most, after);
    if (after < static_cast<double>(with_.limit_of(one.what)) || after > latest(one.what))
      wrong(one, "was ended after " + std::to_string(after) + " s");
  }

  /// Every slow connection has its turn once a second, one after the other.
  void send_what_is_due() {
    const auto elapsed = seconds(clock_type::now() - started_).count();
    const auto due = static_cast<std::uint64_t>(elapsed * static_cast<double>(with_.slow));
    for (; turns_ < due; ++turns_) {
      auto& one = all_[with_.idle + turns_ % with_.slow];
      if (one.is_connected) send_a_byte(one);
    }
  }

  static void send_a_byte(connection& one) {
    std::string_view text;
    switch (one.what) {
      case kind::idle:
        return;
      case kind::header:
        text = slow_request.substr(std::min(one.sent, slow_request.size() - 1), 1);
        break;
      case kind::body:
        text = one.sent == 0 ? slow_body_head : std::string_view{" "};
        break;
      case kind::patient:
        text = one.sent == 0 ? patient_request.substr(0, patient_request.size() - patient_bytes)
                             : patient_request.substr(
                                   patient_request.size() - patient_bytes + one.sent - 1, 1);
        // All is said; the answer begins the next.
        if (one.sent > patient_bytes) return;
        break;
    }
    if (!one.has_begun) begin(one);
    ++one.sent;
    // Whether it still goes through is seen when it is read.
    (void)::send(one.socket, text.data(), text.size(), MSG_NOSIGNAL);
  }

  const options with_;
  const int poll_;
  clock_type::time_point started_;
  std::vector<connection> all_;
  std::deque<std::size_t> to_open_;
  std::size_t connecting_ = 0, open_ = 0;
  std::uint64_t turns_ = 0;
  bool is_announced_ = false;
  std::array<tally, kind_names.size()> tallies_;
};

bool read_options(int count, char** arguments, options& into) {
  const std::array<std::pair<std::string_view, std::uint64_t*>, 7> known{
      {{"--port", &into.port},
       {"--idle", &into.idle},
       {"--slow", &into.slow},
       {"--idle-seconds", &into.idle_seconds},
       {"--header-seconds", &into.header_seconds},
       {"--body-seconds", &into.body_seconds},
       {"--late-seconds", &into.late_seconds}}};
  for (int i = 1; i < count; i += 2) {
    const auto at = std::find_if(known.begin(), known.end(),
                                 [&](const auto& one) { return one.first == arguments[i]; });
    if (at == known.end() || i + 1 == count) return false;
    const std::string_view text = arguments[i + 1];
    const auto read = std::from_chars(text.data(), text.data() + text.size(), *at->second);
    if (read.ec != std::errc{} || read.ptr != text.data() + text.size()) return false;
  }
  return into.port > 0 && into.port <= 65535 && into.idle + into.slow > 0 && into.slow > 0;
}

}  // namespace

int main(int count, char** arguments) {
  options with;
  if (!read_options(count, arguments, with)) {
    std::fputs(
        "usage: crowd --port P --idle N --slow N --idle-seconds S --header-seconds S "
        "--body-seconds S [--late-seconds S]\n",
        stderr);
    return 2;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < with.idle + with.slow + 64) {
    std::fprintf(stderr, "crowd: may open %llu files only (ulimit -n)\n",
                 static_cast<unsigned long long>(files.rlim_cur));
    return 2;
  }
  for (int signal : {SIGINT, SIGTERM}) std::signal(signal, [](int) { must_end = 1; });
  crowd everybody{with};
  everybody.run();
  return everybody.report() ? 0 : 1;
}
