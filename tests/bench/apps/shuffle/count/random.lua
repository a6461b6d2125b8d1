-- The mixing function of SplitMix64; number i of a seed without those before it.

local function mix(z)
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return z ~ (z >> 31)
end

return {
  mix = mix,
  at = function(seed, i) return mix(seed + (i + 1) * 0x9e3779b97f4a7c15) end,
}
