-- For wrk: posts the export requests DIR/0 .. DIR/COUNT-1 round and round; with GZIP=1 the compressed ones.
local gzip = os.getenv("GZIP") == "1"
local requests = {}
for i = 0, tonumber(os.getenv("COUNT")) - 1 do
  local file = assert(io.open(os.getenv("DIR") .. "/" .. i .. (gzip and ".gz" or ""), "rb"))
  local body = file:read("*a")
  file:close()
  requests[i] = "POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-protobuf\r\n" ..
    (gzip and "Content-Encoding: gzip\r\n" or "") .. "Content-Length: " .. #body .. "\r\n\r\n" .. body
end
local at = 0

request = function()
  at = (at + 1) % #requests
  return requests[at]
end
