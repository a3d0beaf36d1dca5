-- For wrk: posts the beacon in the file named by BEACON, each time with another seq. CLOSE=1 asks for a connection each.
local file = assert(io.open(os.getenv("BEACON"), "rb"))
local beacon = file:read("*a")
file:close()
local at = assert(beacon:find("\255\255\255\255\15", 1, true), "the beacon has no seq to replace")
local before, after = beacon:sub(1, at - 1), beacon:sub(at + 5)
local head = "POST /v1/beacon HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://shop.example\r\n" ..
  "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: " .. #beacon .. "\r\n" ..
  (os.getenv("CLOSE") == "1" and "Connection: close\r\n" or "") .. "\r\n" .. before
-- From 2^28 on a varint has five bytes, as the placeholder has; every run begins elsewhere.
local seq = 268435456 + tonumber(os.getenv("SEQ"))

request = function()
  seq = seq + 1
  local n = seq
  local b1 = n % 128; n = (n - b1) / 128
  local b2 = n % 128; n = (n - b2) / 128
  local b3 = n % 128; n = (n - b3) / 128
  local b4 = n % 128; n = (n - b4) / 128
  return head .. string.char(b1 + 128, b2 + 128, b3 + 128, b4 + 128, n) .. after
end
