-- wrk: one request for each line of a file of access tokens, all made before the measuring starts.
-- For one wrk thread (-t1): wrk counts what a first thread sends while a second still prepares.
--   TOKENS  file, one token a line        SKIP   lines to leave out at its beginning (0)
--   COUNT   requests to prepare           METHOD, REQUEST_PATH

local requests, sent = {}, 0

function setup(thread)
  main_thread = thread
end

function init()
  local skip, count = tonumber(os.getenv("SKIP") or 0), tonumber(os.getenv("COUNT"))
  local method, path = os.getenv("METHOD") or "POST", os.getenv("REQUEST_PATH")
  -- wrk.format once, for a mark that each token then takes the place of: a million calls would take long.
  local form = wrk.format(method, path, { Authorization = "Bearer @TOKEN@" })
  local head, tail = form:match("^(.*)@TOKEN@(.*)$")
  local line_number, made = 0, 0
  for token in io.lines(os.getenv("TOKENS")) do
    line_number = line_number + 1
    if line_number > skip then
      made = made + 1
      requests[made] = head .. token .. tail
      if made == count then break end
    end
  end
  prepared, exhausted = made, 0
  collectgarbage()
end

-- A token that is used twice would join nobody: when they run out, the run is marked as void.
function request()
  sent = sent + 1
  if sent > prepared then
    sent, exhausted = 1, 1
  end
  return requests[sent]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format("RESULT %.0f %.0f %.0f %d %d\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    main_thread:get("exhausted")))
end
