-- wrk: makes accounts, each with an address of its own. RUN tells runs apart.

local run, number = os.getenv("RUN"), 0
local path = os.getenv("REQUEST_PATH") or "/v1/accounts"
local headers = { ["Content-Type"] = "application/json" }

function request()
  number = number + 1
  return wrk.format("POST", path, headers,
    '{"email":"applicant.' .. run .. "." .. number .. '@example.com"}')
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %.0f %.0f %.0f %d 0\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
