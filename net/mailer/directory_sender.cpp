#include "net/mailer/directory_sender.hpp"

#include <fmt/format.h>

#include <chrono>
#include <fstream>
#include <system_error>
#include <utility>

namespace gelombang::mailer {
namespace {

tl::unexpected<send_error> not_now(std::string detail) {
  return tl::unexpected(send_error{send_fault::temporary, std::move(detail)});
}

/// "20260102T050000.123-0b1c….eml"; the message id makes it one of its kind.
std::string file_name(const letter& what) {
  const auto day = std::chrono::floor<std::chrono::days>(what.date);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{what.date - day};
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}.{:03}-{}.eml", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count(),
                     what.message_id.substr(0, what.message_id.find('@')));
}

}  // namespace

directory_sender::directory_sender(std::filesystem::path directory)
    : directory_(std::move(directory)) {}

send_result directory_sender::send(const letter& what) {
  std::error_code error;
  std::filesystem::create_directories(directory_, error);
  if (error) return not_now(fmt::format("{}: {}", directory_.string(), error.message()));
  const auto file = directory_ / file_name(what);
  auto unfinished = file;
  unfinished += ".part";
  std::ofstream out{unfinished, std::ios::binary | std::ios::trunc};
  out << what.message;
  out.close();
  if (out) std::filesystem::rename(unfinished, file, error);
  if (out && !error) return {};
  const auto reason = error ? error.message() : std::string{"cannot be written"};
  std::filesystem::remove(unfinished, error);
  return not_now(fmt::format("{}: {}", unfinished.string(), reason));
}

}  // namespace gelombang::mailer
