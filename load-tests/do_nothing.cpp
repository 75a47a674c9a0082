// The front door with nothing behind it: `do_nothing PORT THREADS` serves until SIGINT or SIGTERM.
// The first row of the benchmark's table, by which the others are measured.
#include "net/do_nothing.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <string_view>

#include "net/server.hpp"

namespace {

bool read_number(std::string_view text, unsigned& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

int main(int count, char** arguments) {
  unsigned port = 0;
  unsigned threads = 0;
  auto understood = count == 3 && read_number(arguments[1], port) && port <= 65535 &&
                    read_number(arguments[2], threads) && threads > 0;
  if (!understood) {
    std::fputs("usage: do_nothing PORT THREADS\n", stderr);
    return 2;
  }
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  // Blocked before there are threads, so that all of them leave these to sigwait.
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  using namespace gelombang;
  system_clock time;
  net::server front{{.port = static_cast<std::uint16_t>(port), .threads = threads}, time};
  if (auto listening = front.listen(); !listening) {
    std::fprintf(stderr, "do_nothing: %s\n", listening.error().c_str());
    return 3;
  }
  net::router routes;
  net::add_do_nothing_routes(routes);
  front.start(std::move(routes));
  std::printf("ready http://127.0.0.1:%u\n", unsigned{front.port()});
  std::fflush(stdout);
  int caught = 0;
  sigwait(&ending, &caught);
  front.stop();
  return 0;
}
