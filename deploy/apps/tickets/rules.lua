-- What the aggregates check alike. Each check returns a rejection, or nothing when all is well, so
-- that checks are chained with `or`.

local rules = {}

local NAME_MAX = 255

function rules.invalid(text, ...)
  return reject("invalid", text:format(...))
end

function rules.not_found(entity, id)
  return reject("not_found", ('Entity "%s" (%s) was not found.'):format(entity, id))
end

function rules.already_exists(entity, id)
  return reject("already_exists", ('Entity "%s" (%s) already exists.'):format(entity, id))
end

local function is_blank(text)
  return not text:find("%S")
end

-- An ID field that repeats what ce_subject says, which clients may leave out.
function rules.subject(meta, field, id)
  if id ~= nil and id ~= meta.subject then
    return rules.invalid("%s is '%s', but the command is for '%s'.", field, id, meta.subject)
  end
end

function rules.required(field, text)
  if is_blank(text) then
    return rules.invalid("%s must not be empty.", field)
  end
end

function rules.name(field, text)
  if is_blank(text) then
    return rules.invalid("%s must not be empty.", field)
  end
  if #text > NAME_MAX and (utf8.len(text) or #text) > NAME_MAX then
    return rules.invalid("%s must not be longer than %d characters.", field, NAME_MAX)
  end
end

function rules.at_least(minimum, field, number)
  if number < minimum then
    return rules.invalid("%s must be at least %d.", field, minimum)
  end
end

-- An optional text: empty is as good as absent.
function rules.optional(text)
  if text ~= "" then
    return text
  end
end

-- The name of the reservation that an item asks for: the ID of the event that added the item. So an
-- item that is removed and added again asks for another one, and two carts never share one.
function rules.reservation_id(cart_id, version)
  return ("%s/%d"):format(cart_id, version)
end

-- Where and what the element with this ID is.
function rules.find(list, id)
  for i, element in ipairs(list) do
    if element.Id == id then
      return i, element
    end
  end
end

-- Takes the element with this ID out.
function rules.remove(list, id)
  local i = assert(rules.find(list, id), "there is no element with this ID")
  table.remove(list, i)
end

return rules
