-- Dominant resource fairness, as the hierarchical allocator has it: each agent goes, as a
-- whole, to the framework that has least.
--
-- Who has least is decided from the top of the tree of roles downwards. A candidate's path are
-- the nodes on that way: its role's ancestors, its role, and last the framework itself. Where
-- the paths of two candidates part, two neighbours compete: the one with the smaller share of
-- the cluster, divided by its weight, comes first; then the one that was offered something less
-- often; then the one whose name comes first.

-- before says whether candidate x is to be served before candidate y.
local function before(x, y)
  local i = 1
  while x.path[i] == y.path[i] do
    i = i + 1
  end
  local a, b = x.path[i], y.path[i]
  local share_a, share_b = a.share / a.weight, b.share / b.weight
  if share_a ~= share_b then
    return share_a < share_b
  end
  if a.offers ~= b.offers then
    return a.offers < b.offers
  end
  return a.name < b.name
end

-- first is the candidate to be served first, or nil if there is none.
local function first(candidates)
  local best = candidates[1]
  for i = 2, #candidates do
    if before(candidates[i], best) then
      best = candidates[i]
    end
  end
  return best
end

function allocate(cluster)
  for _, agent in ipairs(cluster.agents) do
    -- A role with quota may take a part only: then the rest goes to the next one.
    local best = first(cluster.candidates(agent))
    while best do
      cluster.offer(agent, best)
      best = first(cluster.candidates(agent))
    end
  end
end
