-- Bin packing: agents that are fullest are offered first, so that work gathers on few machines
-- and others stay empty, for tasks that need a whole one, or to be switched off.
--
-- To pack, a framework is not offered the whole of the cluster at once, but a few agents in each
-- run: else it would hold empty ones while it decides. Change AGENTS_PER_RUN to how many.

local AGENTS_PER_RUN = 3

-- used is how full an agent is, from 0 to 1, by the resource that is most used.
local function used(cluster, agent)
  local free, most = cluster.free(agent), 0
  for name, total in pairs(agent.total) do
    if total > 0 then
      most = math.max(most, 1 - (free[name] or 0) / total)
    end
  end
  return most
end

function allocate(cluster)
  local fullness = {}
  for _, agent in ipairs(cluster.agents) do
    fullness[agent] = used(cluster, agent)
  end

  -- The fullest first; of those that are equally full, always the same ones.
  local agents = cluster.agents
  table.sort(agents, function(a, b)
    if fullness[a] ~= fullness[b] then
      return fullness[a] > fullness[b]
    end
    return a.id < b.id
  end)

  -- Candidates come in the order of fair shares: the first one that has not had enough agents
  -- in this run is the next.
  local offered = {}
  local function next_for(agent)
    for _, candidate in ipairs(cluster.candidates(agent)) do
      if (offered[candidate] or 0) < AGENTS_PER_RUN then
        return candidate
      end
    end
  end

  for _, agent in ipairs(agents) do
    local candidate = next_for(agent)
    while candidate do
      cluster.offer(agent, candidate)
      offered[candidate] = (offered[candidate] or 0) + 1
      candidate = next_for(agent)
    end
  end
end
