-- Dominant resource fairness, as the hierarchical allocator has it: each agent goes, as a
-- whole, to the framework that has least.
--
-- Who has least is decided from the top of the tree of roles downwards. A candidate's path are
-- the nodes on that way: its role's ancestors, its role, and last the framework itself. Where
-- the paths of two candidates part, two neighbours compete: the one with the smaller share of
-- the cluster, divided by its weight, comes first; then the one that was offered something less
-- often; then the one whose name comes first.

-- first is the candidate to be served first, or nil if there is none.
local function first(candidates)
  local best = candidates[1]
  local best_path = best and best.path
  for i = 2, #candidates do
    local path = candidates[i].path
    local level = 1
    local a, b = path[1], best_path[1]
    while a == b do
      level = level + 1
      a, b = path[level], best_path[level]
    end
    local share_a, share_b = a.weighted_share, b.weighted_share
    if share_a <= share_b
      and (share_a < share_b or a.offers < b.offers or a.offers == b.offers and a.name < b.name)
    then
      best, best_path = candidates[i], path
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
