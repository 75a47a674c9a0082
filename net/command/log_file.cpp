#include "net/command/log_file.hpp"

#include <fmt/format.h>
#include <spdlog/details/file_helper.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

namespace gelombang::command {

/// spdlog's own sinks keep their file open for ever.
class log_output::sink : public spdlog::sinks::base_sink<std::mutex> {
public:
  /// Throws spdlog_ex when the file can't be opened.
  explicit sink(std::string name) : name_(std::move(name)), file_(opened()) {}

  void reopen() {
    auto fresh = opened();
    std::lock_guard lock{mutex_};
    file_ = std::move(fresh);
  }

protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    file_->write(line);
  }
  void flush_() override { file_->flush(); }

private:
  using file = std::unique_ptr<spdlog::details::file_helper>;

  file opened() const {
    auto made = std::make_unique<spdlog::details::file_helper>();
    made->open(name_);
    return made;
  }

  std::string name_;
  file file_;
};

tl::expected<log_output, std::string> log_output::open(const settings& with) {
  log_output made;
  spdlog::sink_ptr to;
  try {
    if (with.log.file.empty())
      to = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    else
      to = made.file_ = std::make_shared<sink>(with.log.file);
  } catch (const spdlog::spdlog_ex& why) {
    return tl::unexpected(fmt::format("log.file: {}", why.what()));
  }
  auto log = std::make_shared<spdlog::logger>("gelombang", std::move(to));
  log->set_level(spdlog::level::from_str(with.log.level == "warn" ? "warning" : with.log.level));
  log->set_pattern(fmt::format("%Y-%m-%dT%H:%M:%S.%e%z {} %l %v", with.node.name));
  log->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(log));
  return made;
}

tl::expected<void, std::string> log_output::reopen() const {
  if (!file_) return {};
  try {
    file_->reopen();
    return {};
  } catch (const spdlog::spdlog_ex& why) {
    return tl::unexpected(fmt::format("log.file: {}", why.what()));
  }
}

}  // namespace gelombang::command
