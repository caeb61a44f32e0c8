-- The smallest script: each agent goes to the first of its candidates, which come in the order
-- in which the hierarchical allocator would serve them. Change it where you want another order.

function allocate(cluster)
  for _, agent in ipairs(cluster.agents) do
    local candidates = cluster.candidates(agent)
    while candidates[1] do
      cluster.offer(agent, candidates[1])
      candidates = cluster.candidates(agent) -- who may have some of the rest
    end
  end
end
