-- The terms under which a name is found. A name contains a text exactly when one of the name's ends
-- begins with it, so all ends are terms, and a scan by prefix answers "contains".

-- A term is cut to so many bytes; a longer text to search for is cut by whoever searches.
local TERM_MAX = 64

-- Whether the byte goes on a character that began before it.
local function continues(byte)
  return byte ~= nil and byte >= 0x80 and byte <= 0xBF
end

local function add(found, seen, text)
  for first = 1, #text do
    local byte = text:byte(first)
    if byte ~= 0x20 and not continues(byte) then
      local last = first + TERM_MAX - 1
      while continues(text:byte(last + 1)) do
        last = last - 1
      end
      local term = text:sub(first, last)
      if not seen[term] then
        seen[term] = true
        found[#found + 1] = term
      end
    end
  end
end

-- All terms of one or two names, each once. ASCII letters are lower-cased; others stay as they are.
return function(name, other)
  local found, seen = {}, {}
  add(found, seen, name:lower())
  if other then
    add(found, seen, other:lower())
  end
  return found
end
